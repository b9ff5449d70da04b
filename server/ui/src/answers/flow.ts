/** Where the points and streams of paths are drawn. Pure. */

export interface Edge {
  step: number;
  from: string;
  to: string;
  persons: number;
}

export interface FlowNode {
  /** From 0: the place in the path. */
  column: number;
  name: string;
  persons: number;
  x: number;
  y: number;
  height: number;
}

export interface FlowLink<E extends Edge = Edge> {
  edge: E;
  from: FlowNode;
  to: FlowNode;
  /** The upper ends, and the thickness. */
  y0: number;
  y1: number;
  thickness: number;
}

export interface Flow<E extends Edge = Edge> {
  nodes: FlowNode[];
  links: FlowLink<E>[];
  width: number;
  height: number;
}

/** Sizes of the picture, in pixels. */
export const FLOW = { node: 10, gap: 20, least: 3, height: 380, columnLeast: 130, columnMost: 240 };

/** How far columns are apart, so that so many fit into the width where they can; the last needs room for its names, too. */
export const columnWidth = (columns: number, width: number) =>
  Math.max(FLOW.columnLeast, Math.min(FLOW.columnMost, Math.floor(width / Math.max(1, columns))));

export const columnsIn = (edges: readonly Edge[]) => Math.max(0, ...edges.map((edge) => edge.step)) + 1;

/**
 * Columns of points from left to right, each point as high as people passed it, those that most passed at the top; then
 * each point moves to where its people come from, so that fewer streams cross.
 */
export function flowOf<E extends Edge>(edges: readonly E[], width: number): Flow<E> {
  const apart = columnWidth(columnsIn(edges), width);
  const nodes = new Map<string, FlowNode>();
  const key = (column: number, name: string) => `${column} ${name}`;
  const flows = new Map<FlowNode, { in: number; out: number }>();
  const node = (column: number, name: string) => {
    const known = nodes.get(key(column, name));
    if (known) return known;
    const made = { column, name, persons: 0, x: column * apart, y: 0, height: 0 };
    nodes.set(key(column, name), made);
    flows.set(made, { in: 0, out: 0 });
    return made;
  };
  const links = edges.map((edge) => {
    const [from, to] = [node(edge.step - 1, edge.from), node(edge.step, edge.to)];
    (flows.get(from) ?? { out: 0 }).out += edge.persons;
    (flows.get(to) ?? { in: 0 }).in += edge.persons;
    return { edge, from, to, y0: 0, y1: 0, thickness: 0 };
  });
  for (const [one, flow] of flows) one.persons = Math.max(flow.in, flow.out);

  const columns = columnsOf([...nodes.values()]);
  const tallest = Math.max(0, ...columns.map((column) => sum(column)));
  const scale = tallest > 0 ? FLOW.height / tallest : 0;
  for (const one of nodes.values()) one.height = Math.max(FLOW.least, one.persons * scale);
  for (const column of columns) {
    column.sort(
      (a, b) => comesFrom(a, links) - comesFrom(b, links) || b.persons - a.persons || (a.name < b.name ? -1 : 1),
    );
    place(column);
  }
  stack(links, scale);
  // The thin ones are drawn last, so that they can be pointed at.
  links.sort((a, b) => b.thickness - a.thickness);
  const bottom = Math.max(0, ...[...nodes.values()].map((one) => one.y + one.height));
  return { nodes: [...nodes.values()], links, width: columnsIn(edges) * apart, height: bottom };
}

function columnsOf(nodes: FlowNode[]): FlowNode[][] {
  const columns: FlowNode[][] = [];
  for (const node of nodes) {
    while (columns.length <= node.column) columns.push([]);
    columns[node.column]?.push(node);
  }
  return columns;
}

const sum = (column: readonly FlowNode[]) => column.reduce((all, node) => all + node.persons, 0);

/** The middle of where a point's people come from, by how many they are; 0 in the first column. */
function comesFrom(node: FlowNode, links: readonly FlowLink[]): number {
  const into = links.filter((link) => link.to === node);
  const people = into.reduce((all, link) => all + link.edge.persons, 0);
  if (people === 0) return 0;
  return into.reduce((all, { from, edge }) => all + (from.y + from.height / 2) * edge.persons, 0) / people;
}

function place(column: readonly FlowNode[]) {
  let y = 0;
  for (const node of column) {
    node.y = y;
    y += Math.max(node.height, 14) + FLOW.gap;
  }
}

/** Streams leave and arrive one below the other, in the order of their other ends. */
function stack(links: readonly FlowLink[], scale: number) {
  const used = new Map<string, number>();
  const take = (side: string, node: FlowNode, thickness: number) => {
    const key = `${side} ${node.column} ${node.name}`;
    const from = used.get(key) ?? 0;
    used.set(key, from + thickness);
    return node.y + from;
  };
  for (const link of links) link.thickness = Math.max(1, link.edge.persons * scale);
  for (const link of [...links].sort((a, b) => a.to.y - b.to.y)) link.y0 = take('out', link.from, link.thickness);
  for (const link of [...links].sort((a, b) => a.from.y - b.from.y)) link.y1 = take('in', link.to, link.thickness);
}

/** The outline of a stream. */
export function ribbon({ from, to, y0, y1, thickness }: FlowLink): string {
  const [x0, x1] = [from.x + FLOW.node, to.x];
  const middle = (x0 + x1) / 2;
  return (
    `M${x0},${y0}C${middle},${y0} ${middle},${y1} ${x1},${y1}` +
    `V${y1 + thickness}C${middle},${y1 + thickness} ${middle},${y0 + thickness} ${x0},${y0 + thickness}Z`
  );
}
