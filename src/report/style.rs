//! The look and the manners of the report page.

use crate::drawing::{FONT, Ink};

/// What a page may load: nothing.
pub(super) const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The colours and the type of the plots, as variables of the page.
pub(super) fn variables() -> String {
    let inks = [
        ("paper", Ink::Paper),
        ("text", Ink::Text),
        ("muted", Ink::Muted),
        ("line", Ink::Grid),
        ("link", Ink::Series(0)),
        ("alert", Ink::Series(1)),
    ];
    let light: String = inks
        .iter()
        .map(|(name, ink)| format!("--{name}:{};", ink.light()))
        .collect();
    let dark: String = inks
        .iter()
        .map(|(name, ink)| format!("--{name}:{};", ink.dark()))
        .collect();
    format!(
        ":root{{{light}--font:{FONT}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )
}

/// The style sheet, after [`variables`].
pub(super) const STYLE: &str = "
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-behavior:smooth;scroll-padding-top:3.5rem;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1320px;padding:2.25rem 2rem 4rem;background:var(--paper);color:var(--text);
 font:15px/1.55 var(--font);font-variant-numeric:tabular-nums}
h1{margin:0;font-size:1.75rem;line-height:1.2;font-weight:600;letter-spacing:-.01em}
h2{margin:0 0 .75rem;padding-top:1.1rem;border-top:1px solid var(--line);font-size:1.2rem;line-height:1.3;font-weight:600}
header p{margin:.4rem 0 0;color:var(--muted)}
section{margin-top:2.25rem}
section p{margin:0 0 .75rem;max-width:46rem}
.alert,.note{border-left:3px solid var(--alert);background:color-mix(in srgb,var(--alert) 8%,var(--paper))}
header .alert{margin:1rem 0 0;padding:.7rem 1rem;max-width:60rem;color:var(--text);font-weight:600}
section .note{padding:.4rem .8rem;max-width:60rem;font-size:.9rem}
code{font:.92em/1.3 ui-monospace,'SF Mono',Menlo,Consolas,'Liberation Mono',monospace;overflow-wrap:anywhere}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
h1,h2,p,th,td,figcaption,li{overflow-wrap:anywhere}
nav{position:sticky;top:0;z-index:2;margin:1.25rem 0 -.75rem;padding:.55rem 0;background:var(--paper);
 border-bottom:1px solid var(--line);font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:0;padding:0;list-style:none}
table{margin:.25rem 0 1.25rem;border-collapse:collapse;font-size:.9rem;line-height:1.4}
th,td{padding:.32rem 2rem .32rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
th{color:var(--muted);min-width:9rem}
td:last-child{padding-right:0;color:var(--muted);max-width:40rem}
.grid{overflow-x:auto}
.grid th,.grid td{padding-right:1.6rem;min-width:0;color:var(--text);white-space:nowrap}
.grid thead th{color:var(--muted);vertical-align:bottom}
.figures{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1.75rem 1.75rem;margin-top:1rem}
nav+main>section:first-child>h2{border-top:0}
nav+main>section:first-child{margin-top:1.5rem}
figure{margin:0;min-width:0}
figure.wide{grid-column:1/-1}
.plot svg{display:block}
.plot>svg{width:100%;height:auto;max-height:90vh}
.own .plot>svg{width:auto;max-width:100%}
figcaption{margin:.35rem .5rem 0;color:var(--muted);font-size:.84rem;line-height:1.45;max-width:60rem}
figcaption b{color:var(--text);font-weight:600}
.zoom .plot{cursor:zoom-in}
.zoom .plot.large{position:fixed;inset:0;z-index:9;padding:2vmin;background:var(--paper);cursor:zoom-out}
.zoom .plot.large>svg{width:100%;height:100%;max-height:none}
.plot:focus-visible{outline:2px solid var(--link);outline-offset:2px}
@media screen and (max-width:860px){.figures{grid-template-columns:minmax(0,1fr)}body{padding:1.25rem 1rem 3rem}
 .plot{overflow-x:auto}figure.wide:not(.own) .plot>svg{min-width:760px}}
@media print{@page{size:landscape;margin:12mm}body{max-width:none;padding:0;font-size:10pt}nav,script{display:none}
 h2{break-after:avoid}figure,tr{break-inside:avoid}.figures{gap:6mm}}
";

/// A click, or Enter on a focused figure, fills the window with it; another, or Escape, puts it back.
pub(super) const SCRIPT: &str = "
(function(){
var large=null;
function close(){if(large){large.classList.remove('large');large=null}}
function toggle(plot){var open=plot!==large;close();if(open){plot.classList.add('large');large=plot}}
document.documentElement.classList.add('zoom');
document.querySelectorAll('.plot').forEach(function(plot){
plot.tabIndex=0;plot.setAttribute('role','button');
plot.addEventListener('click',function(){if(String(getSelection())==='')toggle(plot)});
plot.addEventListener('keydown',function(e){if(e.key==='Enter')toggle(plot)});
});
document.addEventListener('keydown',function(e){if(e.key==='Escape')close()});
})();
";
