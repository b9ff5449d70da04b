import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { count } from '../format';
import { columnsIn, columnWidth, FLOW, flowOf, ribbon } from './flow';
import type { Opens } from './people';
import { edgePlace } from './sheet';
import type { AnswerOf } from './words';

/** A letter is about so wide, in pixels. */
const LETTER = 7;

const cut = (name: string, fits: number) => (name.length > fits ? `${name.slice(0, fits - 1)}…` : name);

/** Where people went, step by step: the thicker, the more. */
export function Paths({ answer, opens }: { answer: AnswerOf<'paths'>; opens: Opens }) {
  const root = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measured = new ResizeObserver(() => setWidth(element.clientWidth));
    measured.observe(element);
    setWidth(element.clientWidth);
    return () => measured.disconnect();
  }, []);
  const flow = useMemo(() => flowOf(answer.results, width), [answer, width]);
  const apart = columnWidth(columnsIn(answer.results), width);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section ref={root} class="paths" aria-label="Paths" tabIndex={0}>
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
              {cut(node.name, Math.floor((apart - 60) / LETTER))} <tspan class="said">{count(node.persons)}</tspan>
            </text>
          </g>
        ))}
      </svg>
    </section>
  );
}
