// A page with the panels of a Grafana dashboard, drawn as it lays them out: single figures and lines over time.
const COLUMN = 58;
const ROW = 30;
const GAP = 8;
const COLOURS = [
  '#73bf69',
  '#f2cc0c',
  '#5794f2',
  '#ff780a',
  '#e02f44',
  '#b877d9',
  '#37872d',
  '#8ab8ff',
  '#ffa6b0',
  '#c0d8ff',
];

/**
 * @param {object} dashboard
 * @param {Map<number, { name: string, points: [number, number][] }[]>} answers by the panel's id
 * @param {{ from: number, to: number }} range Unix seconds
 */
export function drawDashboard({ title, panels }, answers, range) {
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * ROW;
  const boxes = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const size = { width: w * COLUMN - GAP, height: h * ROW - GAP };
    const series = (answers.get(panel.id) ?? []).filter(({ points }) =>
      points.some(([, value]) => Number.isFinite(value)),
    );
    const inner = panel.type === 'stat' ? figure(panel, series) : lines(panel, series, range, size);
    return `<section style="left:${x * COLUMN}px;top:${y * ROW}px;width:${size.width}px;height:${size.height}px"><h2>${escaped(panel.title)}</h2>${inner}</section>`;
  });
  const span = `${Math.round((range.to - range.from) / 60)} minutes`;
  return `<!doctype html><meta charset="utf-8"><style>
body{background:#111217;color:#ccccdc;font:12px/1.3 sans-serif;margin:16px;width:${24 * COLUMN}px}
h1{font-size:18px;margin:0 0 12px;font-weight:500}h1 span{color:#8e8e9a;font-size:12px;margin-left:12px}
main{position:relative;height:${height}px}
section{position:absolute;background:#181b1f;border:1px solid #25272c;border-radius:3px;box-sizing:border-box;overflow:hidden}
h2{font-size:12px;font-weight:500;margin:7px 10px 0}
.figure{font-size:30px;text-align:center;margin-top:14px;color:#73bf69}
.legend{position:absolute;bottom:6px;left:10px;right:8px;font-size:10.5px;color:#9fa0ad;max-height:30px;overflow:hidden}
.legend span{margin-right:10px;white-space:nowrap}.legend i{display:inline-block;width:10px;height:3px;margin:0 4px 3px 0}
.none{text-align:center;color:#6e6e7a;margin-top:60px}
text{fill:#8e8e9a;font-size:10px}
</style><h1>${escaped(title)}<span>${span} of a real run</span></h1><main>${boxes.join('')}</main>`;
}

function figure({ fieldConfig }, series) {
  const value = series[0]?.points.findLast(([, each]) => Number.isFinite(each))?.[1];
  return `<div class="figure">${value === undefined ? '–' : inUnit(value, fieldConfig.defaults)}</div>`;
}

function lines({ fieldConfig }, series, { from, to }, { width, height }) {
  if (series.length === 0) return '<div class="none">nothing happened</div>';
  const box = { left: 52, right: width - 12, top: 28, bottom: height - 58 };
  const values = series.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  const max = niceMax(Math.max(...values, fieldConfig.defaults.max ?? 0));
  const x = (time) => box.left + ((time - from) / (to - from)) * (box.right - box.left);
  const y = (value) => box.bottom - (value / max) * (box.bottom - box.top);
  const grid = [0, 0.5, 1].map((share) => {
    const at = y(share * max);
    return `<line x1="${box.left}" x2="${box.right}" y1="${at}" y2="${at}" stroke="#2b2d33"/><text x="${box.left - 6}" y="${at + 3}" text-anchor="end">${inUnit(share * max, fieldConfig.defaults)}</text>`;
  });
  const times = [0.05, 0.35, 0.65, 0.95].map((share) => {
    const time = from + share * (to - from);
    return `<text x="${x(time)}" y="${box.bottom + 14}" text-anchor="middle">${new Date(time * 1000).toISOString().slice(11, 19)}</text>`;
  });
  const paths = series.map(({ points }, index) => {
    const steps = points.map(([time, value], at) => {
      if (!Number.isFinite(value)) return '';
      const joined = at > 0 && Number.isFinite(points[at - 1][1]) && time - points[at - 1][0] < 10;
      return `${joined ? 'L' : 'M'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    return `<path d="${steps.join('')}" fill="none" stroke="${colour(index)}" stroke-width="1.4"/>`;
  });
  const legend = series.map(
    ({ name }, index) => `<span><i style="background:${colour(index)}"></i>${escaped(name || 'value')}</span>`,
  );
  return `<svg width="${width}" height="${height - 24}" style="position:absolute;top:0;left:0">${grid.join('')}${times.join('')}${paths.join('')}</svg><div class="legend">${legend.join('')}</div>`;
}

const colour = (index) => COLOURS[index % COLOURS.length];

function niceMax(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function inUnit(value, { unit, decimals }) {
  const short = (number, digits = 3) => String(Number(number.toPrecision(digits)));
  if (unit === 'percentunit') return `${(value * 100).toFixed(decimals ?? 1)} %`;
  if (unit === 's') return value < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
  if (unit === 'bytes') return `${short(value / 2 ** 20)} MiB`;
  if (unit === 'reqps') return `${short(value)}/s`;
  return short(value);
}

function escaped(text) {
  return String(text).replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
