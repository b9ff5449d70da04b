// What the shop sells. Prices in cents.
export const teas = [
  { id: 'sencha', name: 'Harbour Sencha', kind: 'Green', price: 1250, note: 'Steamed, grassy, a little salt at the end.' },
  { id: 'oolong', name: 'Amber Oolong', kind: 'Oolong', price: 1690, note: 'Roasted slowly; honey, then stone fruit.' },
  { id: 'assam', name: 'Gale Assam', kind: 'Black', price: 990, note: 'Malty and strong, for mornings with weather.' },
  { id: 'jasmine', name: 'Night Jasmine', kind: 'Green', price: 1420, note: 'Scented six nights running, never sweetened.' },
  { id: 'rooibos', name: 'Red Dune', kind: 'Rooibos', price: 880, note: 'No caffeine, much vanilla. Good at any hour.' },
  { id: 'silver', name: 'Silver Needle', kind: 'White', price: 2480, note: 'Only buds. Pale, soft, gone too quickly.' },
];

export const teaOf = (id) => teas.find((tea) => tea.id === id);
