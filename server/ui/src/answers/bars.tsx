import { useState } from 'preact/hooks';
import { short } from '../format';

export interface Stack {
  /** What the bar is called. */
  name: string;
  /** One number for each part; those below zero hang down. */
  values: readonly number[];
  /** Not over yet: it is hatched. */
  open?: boolean;
}

export interface BarPart {
  name: string;
  colour: string;
}

const [WIDTH, HEIGHT] = [1000, 240];

/** Stacked bars. Give a table of the same numbers beside it: the picture itself only says its label. */
export function Bars(props: {
  label: string;
  parts: readonly BarPart[];
  stacks: readonly Stack[];
  onPick?: ((stack: number, part: number) => void) | undefined;
}) {
  const [near, setNear] = useState<number>();
  const { stacks, parts } = props;
  const high = Math.max(0, ...stacks.map((stack) => sum(stack.values.filter((value) => value > 0))));
  const low = Math.min(0, ...stacks.map((stack) => sum(stack.values.filter((value) => value < 0))));
  const scale = HEIGHT / (high - low || 1);
  const zero = high * scale;
  const step = WIDTH / (stacks.length || 1);
  const shown = near === undefined ? undefined : stacks[near];
  return (
    <div class="stacks">
      <div class="stacks-axis muted" aria-hidden="true">
        <span>{short(high)}</span>
        {low < 0 && <span>{short(-low)}</span>}
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={props.label}
        class={props.onPick ? 'picks' : undefined}
        onMouseLeave={() => setNear(undefined)}
      >
        <defs>
          <pattern id="open" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect class="stacks-hatch" width="3" height="6" />
          </pattern>
        </defs>
        {stacks.map((stack, at) => (
          // biome-ignore lint/a11y/noStaticElementInteractions: only a shortcut; the table beside it has the same by keyboard.
          <g key={at} onMouseEnter={() => setNear(at)}>
            <rect class="stacks-over" x={at * step} y={0} width={step} height={HEIGHT} />
            {boxes(stack, zero, scale).map(({ part, y, height }) => (
              // biome-ignore lint/a11y/noStaticElementInteractions: as above.
              <rect
                key={part}
                x={at * step + step * 0.1}
                y={y}
                width={step * 0.8}
                height={height}
                style={{ fill: parts[part]?.colour }}
                onClick={() => props.onPick?.(at, part)}
              />
            ))}
            {stack.open && (
              <rect class="stacks-open" x={at * step} y={0} width={step} height={HEIGHT} fill="url(#open)" />
            )}
          </g>
        ))}
        <line class="stacks-zero" x1={0} x2={WIDTH} y1={zero} y2={zero} />
      </svg>
      <div class="stacks-names muted" aria-hidden="true">
        <span>{stacks[0]?.name}</span>
        <span>{stacks.length > 1 && stacks.at(-1)?.name}</span>
      </div>
      <p class="stacks-said muted" aria-hidden="true">
        {shown
          ? `${shown.name}: ${parts.map((part, at) => `${part.name} ${short(Math.abs(shown.values[at] ?? 0))}`).join(', ')}${shown.open ? ' (not over yet)' : ''}`
          : ' '}
      </p>
    </div>
  );
}

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);

/** The parts of a bar: those above zero up from it, those below down. */
export function boxes(stack: Stack, zero: number, scale: number) {
  let [up, down] = [zero, zero];
  return stack.values.flatMap((value, part) => {
    if (value === 0) return [];
    const height = Math.abs(value) * scale;
    if (value > 0) {
      up -= height;
      return [{ part, y: up, height }];
    }
    down += height;
    return [{ part, y: down - height, height }];
  });
}
