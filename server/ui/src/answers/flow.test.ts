import { expect, test } from 'vitest';
import { columnWidth, type Edge, FLOW, flowOf, ribbon } from './flow';

const EDGES: Edge[] = [
  { step: 1, from: 'a', to: 'b', persons: 6 },
  { step: 1, from: 'a', to: 'c', persons: 4 },
  { step: 1, from: 'x', to: 'c', persons: 2 },
  { step: 2, from: 'b', to: 'a', persons: 3 },
];

const at = (flow: ReturnType<typeof flowOf>, column: number, name: string) =>
  flow.nodes.find((node) => node.column === column && node.name === name);

test('a point is as high as people passed it, and the same name is another point one step later', () => {
  const flow = flowOf(EDGES, 600);
  expect(at(flow, 0, 'a')?.persons).toBe(10);
  expect(at(flow, 2, 'a')?.persons).toBe(3);
  expect(at(flow, 1, 'b')?.persons).toBe(6);
  const a = at(flow, 0, 'a');
  const x = at(flow, 0, 'x');
  expect((a?.height ?? 0) / (x?.height ?? 1)).toBeCloseTo(5);
  expect(flow.width).toBe(600);
});

test('points of a column do not overlap, and leave room for their names', () => {
  const many = Array.from({ length: 30 }, (_, n) => ({ step: 1, from: 'a', to: `p${n}`, persons: 1 + (n % 3) }));
  const column = flowOf(many, 600)
    .nodes.filter((node) => node.column === 1)
    .sort((a, b) => a.y - b.y);
  expect(column).toHaveLength(30);
  for (const [n, node] of column.entries()) {
    const next = column[n + 1];
    if (next) expect(next.y - node.y).toBeGreaterThanOrEqual(Math.max(node.height, 14) + FLOW.gap);
  }
});

test('streams fill their points without overlapping', () => {
  const flow = flowOf(EDGES, 600);
  const out = flow.links.filter((link) => link.from.name === 'a' && link.from.column === 0).sort((a, b) => a.y0 - b.y0);
  expect(out).toHaveLength(2);
  expect(out[0]?.y0).toBe(at(flow, 0, 'a')?.y);
  expect(out[1]?.y0).toBeCloseTo((out[0]?.y0 ?? 0) + (out[0]?.thickness ?? 0));
  const whole = out.reduce((all, link) => all + link.thickness, 0);
  expect(whole).toBeCloseTo(at(flow, 0, 'a')?.height ?? 0);
});

test('a point stands where its people come from', () => {
  const flow = flowOf(
    [
      { step: 1, from: 'top', to: 'y', persons: 12 },
      { step: 1, from: 'low', to: 'z', persons: 8 },
      { step: 1, from: 'low', to: 'y', persons: 1 },
      { step: 2, from: 'z', to: 'q', persons: 8 },
      { step: 2, from: 'y', to: 'r', persons: 2 },
    ],
    600,
  );
  expect(at(flow, 1, 'y')?.y).toBeLessThan(at(flow, 1, 'z')?.y ?? 0);
  expect(at(flow, 2, 'r')?.y).toBeLessThan(at(flow, 2, 'q')?.y ?? 0);
});

test('no paths are no picture, and an outline closes', () => {
  expect(flowOf([], 600)).toMatchObject({ nodes: [], links: [], height: 0 });
  const [link] = flowOf(EDGES, 600).links;
  expect(link && ribbon(link)).toMatch(/^M\S+C.+V.+Z$/);
});

test('columns fill the width, and are never so narrow that names run into one another', () => {
  expect(columnWidth(4, 800)).toBe(200);
  expect(columnWidth(7, 300)).toBe(FLOW.columnLeast);
  expect(columnWidth(2, 2000)).toBe(FLOW.columnMost);
});
