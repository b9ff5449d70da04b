/** A thin line of what was lately: no axes, one number beside it. */
export function Strip(props: {
  values: readonly (number | null)[];
  /** The top of the picture, if not the greatest value. */
  top?: number;
  kind?: 'line' | 'bars';
  tone?: 'plain' | 'bad' | 'good';
  label: string;
}) {
  const { values, kind = 'line', tone = 'plain' } = props;
  const top = Math.max(props.top ?? 0, ...values.map((value) => value ?? 0)) || 1;
  const [width, height] = [values.length || 1, 24];
  const y = (value: number) => height - 1 - (value / top) * (height - 2);
  return (
    <svg
      class={`strip ${tone}`}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={props.label}
    >
      {kind === 'bars'
        ? values.map(
            (value, at) =>
              value !== null && <rect key={at} x={at + 0.1} y={y(value)} width={0.8} height={height - y(value)} />,
          )
        : lines(values).map((line) => (
            <polyline
              key={line[0]?.at}
              points={drawn(line)
                .map(({ at, value }) => `${at + 0.5},${y(value)}`)
                .join(' ')}
            />
          ))}
    </svg>
  );
}

/** A stretch of one value is drawn as wide as its time: a line of one point would not be seen. */
function drawn(line: { at: number; value: number }[]) {
  const [only] = line;
  return line.length === 1 && only ? [-0.5, 0.5].map((by) => ({ ...only, at: only.at + by })) : line;
}

/** Stretches of values without a gap: what is not known is not drawn as nothing. */
export function lines(values: readonly (number | null)[]): { at: number; value: number }[][] {
  const stretches: { at: number; value: number }[][] = [];
  let open: { at: number; value: number }[] | undefined;
  values.forEach((value, at) => {
    if (value === null) {
      open = undefined;
    } else if (open) {
      open.push({ at, value });
    } else {
      open = [{ at, value }];
      stretches.push(open);
    }
  });
  return stretches;
}
