import { answer, POST } from '../../../api/client';
import { useAction } from '../../../api/use';
import { Button, Refused } from '../../../parts/form';
import { may } from '../../../session';
import { toast } from '../../../shell/toasts';

/** Has a job run at once. */
export function RunNow({ name, onRun }: { name: string; onRun: () => void }) {
  const run = useAction(async () => {
    await answer(POST('/api/v1/jobs/{name}/run', { params: { path: { name } } }));
    toast(`${name} runs as soon as a server is free`);
    onRun();
  });
  if (!may('admin')) return null;
  return (
    <>
      <Button busy={run.busy} onClick={() => void run.run()}>
        Run now
      </Button>
      <Refused refusal={run.refusal} />
    </>
  );
}
