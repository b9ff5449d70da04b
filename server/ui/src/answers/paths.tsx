import { useMemo } from 'preact/hooks';
import { count } from '../format';
import { FLOW, flowOf, ribbon } from './flow';
import type { Opens } from './people';
import { edgePlace } from './sheet';
import type { AnswerOf } from './words';

/** So many letters of a name fit beside its point. */
const FITS = 22;

const cut = (name: string) => (name.length > FITS ? `${name.slice(0, FITS - 1)}…` : name);

/** Where people went, step by step: the thicker, the more. */
export function Paths({ answer, opens }: { answer: AnswerOf<'paths'>; opens: Opens }) {
  const flow = useMemo(() => flowOf(answer.results), [answer]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="paths" aria-label="Paths" tabIndex={0}>
      <svg
        width={flow.width}
        height={flow.height + 8}
        viewBox={`0 -4 ${flow.width} ${flow.height + 8}`}
        role="img"
        aria-label="Where people went, step by step; the table has the numbers"
      >
        {flow.links.map((link) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: only a shortcut; the table has the same by keyboard.
          <path
            key={`${link.edge.step} ${link.edge.from} ${link.edge.to}`}
            class={opens ? 'stream picks' : 'stream'}
            d={ribbon(link)}
            onClick={() => opens?.(edgePlace(link.edge))}
          >
            <title>
              {`${link.edge.from} → ${link.edge.to}: ${count(link.edge.persons)} people, ${count(link.edge.count)} times`}
            </title>
          </path>
        ))}
        {flow.nodes.map((node) => (
          <g key={`${node.column} ${node.name}`}>
            <rect class="point" x={node.x} y={node.y} width={FLOW.node} height={node.height} rx={2}>
              <title>{`${node.name}: ${count(node.persons)} people`}</title>
            </rect>
            <text x={node.x + FLOW.node + 6} y={node.y + Math.max(node.height, 14) / 2 + 4}>
              {cut(node.name)} <tspan class="said">{count(node.persons)}</tspan>
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}
