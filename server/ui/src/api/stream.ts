import { useEffect, useState } from 'preact/hooks';
import { projectId } from './client';

export type StreamState = 'connecting' | 'open' | 'lost';

/** Listens to server-sent events of the project; browsers come back by themselves after a loss. */
export function useStream(
  path: string,
  listeners: Record<string, (data: unknown) => void>,
  given: readonly unknown[],
): StreamState {
  const [state, setState] = useState<StreamState>('connecting');
  useEffect(() => {
    if (path === '') return;
    const url = new URL(path, location.origin);
    if (projectId.value !== null) url.searchParams.set('project', String(projectId.value));
    const source = new EventSource(url);
    source.onopen = () => setState('open');
    source.onerror = () => setState(source.readyState === EventSource.CLOSED ? 'lost' : 'connecting');
    for (const [name, hear] of Object.entries(listeners)) {
      source.addEventListener(name, (event) => hear(JSON.parse((event as MessageEvent<string>).data)));
    }
    return () => source.close();
  }, [path, projectId.value, ...given]);
  return state;
}
