/** For light and dark surroundings alike; every tone also differs in words, in the titles and in the table. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #ffffff; --lane: #f1f3f6; --line: #d5dae1;
  --good: #2f8f5b; --middling: #d99a1c; --bad: #c9373f; --fault: #7a5bd0; --quiet: #8a94a3; --area: #4a86d8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #a2adbb; --paper: #14181f; --lane: #1e242d;
  --line: #343c48; --good: #4fb87f; --middling: #e3b04b; --bad: #ef6a70; --fault: #a58bf0; --quiet: #7d8795;
  --area: #6ea3ea; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 1160px; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; color: #fff; font-weight: 600; }
.verdict.passed { background: var(--good); } .verdict.failed { background: var(--bad); }
.verdict.interrupted { background: var(--quiet); }
.why { color: var(--soft); margin: .25rem 0 1rem; } code { font-size: .9em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; } dt { color: var(--soft); }
dd { margin: 0; } table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2rem .8rem .2rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } td.time { text-align: right; white-space: nowrap; width: 4.5rem;
  font-variant-numeric: tabular-nums; } .scroll { overflow-x: auto; } svg { width: 100%; min-width: 760px; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg text.group { font-weight: 600; font-size: 13px; }
svg text.axis, svg text.most { fill: var(--soft); font-size: 11px; } .lane { fill: var(--lane); }
.grid { stroke: var(--line); stroke-width: 1; } .good { fill: var(--good); } .middling { fill: var(--middling); }
.bad { fill: var(--bad); } .fault { fill: var(--fault); } .quiet { fill: var(--quiet); }
.area { fill: var(--area); fill-opacity: .55; stroke: var(--area); } .marker line { stroke-width: 2; }
.marker.healed line { stroke: var(--good); stroke-dasharray: 5 4; } .marker.finding line { stroke: var(--bad); }
.legend span { margin-right: 1.2rem; } .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem;
  border-radius: 2px; vertical-align: -1px; } .legend i.good { background: var(--good); }
.legend i.middling { background: var(--middling); } .legend i.bad { background: var(--bad); }
.legend i.fault { background: var(--fault); } tr.finding td { color: var(--bad); font-weight: 600; }
`
