import { Copy } from '../../../parts/copy';
import { asText, type Frame, runs, type Thrown } from './trace';

/** The errors of one event: own code is seen at once, libraries when they are opened. */
export function Stack({ errors }: { errors: readonly Thrown[] }) {
  if (errors.length === 0) return <p class="muted">The event says nothing about the error.</p>;
  return (
    <div class="stack">
      {errors.map((one, at) => (
        <section key={at}>
          <header class="trace-head">
            <h3>
              {at > 0 && <span class="muted">Caused by </span>}
              {one.type}
            </h3>
            {at === 0 && <Copy text={asText(errors)} name="Copy the error" />}
          </header>
          {one.message && <p class="trace-message">{one.message}</p>}
          <Frames frames={one.frames} />
        </section>
      ))}
    </div>
  );
}

function Frames({ frames }: { frames: readonly Frame[] }) {
  if (frames.length === 0) return <p class="muted">Without a stack.</p>;
  return (
    <ol class="frames">
      {runs(frames).map((run, at) => (
        <li key={at} class={run.isOwn ? 'run' : 'run library'}>
          {run.isOwn ? (
            <Lines frames={run.frames} />
          ) : (
            <details>
              <summary>
                {run.frames.length === 1 ? '1 frame of a library' : `${run.frames.length} frames of libraries`}
              </summary>
              <Lines frames={run.frames} />
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}

function Lines({ frames }: { frames: readonly Frame[] }) {
  return (
    <>
      {frames.map((frame, at) => (
        <div key={at} class="frame">
          <code>{frame.name}</code> <code class="muted">{frame.place}</code>
        </div>
      ))}
    </>
  );
}
