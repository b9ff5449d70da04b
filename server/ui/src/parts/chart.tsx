import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { day, short } from '../format';
import { theme } from '../theme';

export interface ChartLine {
  name: string;
  values: readonly (number | null)[];
  /** Drawn dashed: the period before, a bound. */
  faint?: boolean;
  /** Which colour; that of its place, if it is not said. */
  colour?: number;
}

export interface ChartMark {
  at: string;
  text: string;
}

/** How many colours there are (`--line-1` … in the styles). */
export const COLOURS = 8;

export const colourOf = (index: number) => `var(--line-${(index % COLOURS) + 1})`;

const styled = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Lines over time. Give a table of the same numbers beside it: the picture itself only says its label.
 * From `incompleteFrom` on the lines are dashed: what is not over yet is no fall.
 */
export function Chart(props: {
  label: string;
  times: readonly string[];
  lines: readonly ChartLine[];
  format?: (value: number) => string;
  incompleteFrom?: string | null | undefined;
  marks?: readonly ChartMark[];
  height?: number;
  /** A point was chosen: the place of its time, and of its line. */
  onPick?: (at: number, line: number) => void;
}) {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const chart = draw(element, props);
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: chart.height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
    };
  }, [props.times, props.lines, props.marks, theme.value]);
  return <div ref={root} class={props.onPick ? 'chart picks' : 'chart'} role="img" aria-label={props.label} />;
}

type Drawn = Parameters<typeof Chart>[0];

function draw(element: HTMLElement, props: Drawn): uPlot {
  const format = props.format ?? short;
  const seconds = props.times.map((time) => Date.parse(time) / 1000);
  const split = props.incompleteFrom
    ? seconds.findIndex((at) => at >= Date.parse(props.incompleteFrom ?? '') / 1000)
    : -1;
  const lines = props.lines.flatMap((line, index) => parts(line, index, split));
  const axis = { stroke: styled('--muted'), grid: { stroke: styled('--line'), width: 1 }, ticks: { show: false } };
  const options: uPlot.Options = {
    width: element.clientWidth || 600,
    height: props.height ?? 260,
    legend: { show: false },
    cursor: { points: { size: 7 }, drag: { x: false, y: false } },
    axes: [
      { ...axis, size: 34, values: (_, ticks, __, ___, step) => ticks.map((tick) => tickSaid(tick * 1000, step)) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => format(tick)) },
    ],
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : 1] } },
    series: [{}, ...lines.map((line) => line.series)],
    hooks: {
      draw: [(chart) => drawMarks(chart, props.marks ?? [])],
      init: [(chart) => addTip(chart, element, props, format)],
    },
  };
  return new uPlot(options, [seconds, ...lines.map((line) => line.values)], element);
}

/** Of a time, and the seconds between ticks: `Nov 20`, `13:00`. */
function tickSaid(at: number, step: number): string {
  const time = new Date(at);
  const isMidnight = time.getHours() === 0 && time.getMinutes() === 0;
  return step >= 86_400 || isMidnight
    ? day(time)
    : time.toLocaleTimeString('en', { timeStyle: 'short', hourCycle: 'h23' });
}

/** A line, and its part that is not over yet. */
function parts(line: ChartLine, index: number, split: number) {
  const stroke = styled(`--line-${((line.colour ?? index) % COLOURS) + 1}`);
  const series: uPlot.Series = { stroke, width: 1.75, points: { show: line.values.length === 1 } };
  if (line.faint) series.dash = [3, 4];
  if (split < 0) return [{ series, values: [...line.values] }];
  const before = line.values.map((value, at) => (at < split ? value : null));
  const after = line.values.map((value, at) => (at >= split - 1 ? value : null));
  return [
    { series, values: before },
    { series: { ...series, dash: [5, 5] }, values: after },
  ];
}

function drawMarks(chart: uPlot, marks: readonly ChartMark[]) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = styled('--muted');
  ctx.setLineDash([2, 4]);
  for (const mark of marks) {
    const x = Math.round(chart.valToPos(Date.parse(mark.at) / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Says what is under the pointer, and hands on what is clicked. Texts of events stay texts. */
function addTip(chart: uPlot, element: HTMLElement, props: Drawn, format: (value: number) => string) {
  const tip = document.createElement('div');
  tip.className = 'chart-tip';
  tip.hidden = true;
  element.append(tip);
  const nearest = () => {
    const { idx, top } = chart.cursor;
    if (idx == null || top == null) return undefined;
    const away = props.lines.map((line) => {
      const value = line.values[idx];
      return value == null ? Number.POSITIVE_INFINITY : Math.abs(chart.valToPos(value, 'y') - top);
    });
    return { idx, line: away.indexOf(Math.min(...away)) };
  };
  chart.over.addEventListener('mousemove', () => {
    const found = nearest();
    tip.hidden = !found;
    if (!found) return;
    const time = document.createElement('strong');
    const at = props.times[found.idx] ?? '';
    const isDay = at.endsWith('T00:00:00');
    time.textContent = new Date(at).toLocaleString('en', {
      dateStyle: 'medium',
      ...(isDay ? {} : { timeStyle: 'short', hourCycle: 'h23' }),
    });
    const rows = props.lines.map((line, index) => {
      const row = document.createElement('div');
      row.className = index === found.line ? 'near' : '';
      const dot = document.createElement('i');
      dot.style.background = colourOf(line.colour ?? index);
      const value = line.values[found.idx];
      row.append(dot, `${line.name}: ${value == null ? '–' : format(value)}`);
      return row;
    });
    const marked = (props.marks ?? [])
      .filter((mark) => isIn(mark.at, props.times, found.idx))
      .map((mark) => `⚑ ${mark.text}`);
    tip.replaceChildren(time, ...rows, ...marked);
    const left = chart.cursor.left ?? 0;
    tip.style.insetInlineStart = `${Math.min(left + 70, element.clientWidth - 180)}px`;
  });
  chart.over.addEventListener('mouseleave', () => {
    tip.hidden = true;
  });
  chart.over.addEventListener('click', () => {
    const found = nearest();
    if (found) props.onPick?.(found.idx, found.line);
  });
}

/** Whether a time is within the period `index` of `times`. */
export function isIn(at: string, times: readonly string[], index: number): boolean {
  const [from, to] = [times[index], times[index + 1]];
  const time = Date.parse(at);
  return from !== undefined && time >= Date.parse(from) && (to === undefined || time < Date.parse(to));
}
