/// The style of a report: light or dark, for screens of any width and for paper. Text has a contrast of at least 4.5.
///
/// Tables, code and plots that are wider than the page scroll sideways. Shadows at their edges show this: they are the last two layers
/// of the background. The first two layers move with the content, and hide the shadows where nothing is left to scroll to. The first
/// column of a table stays in place. On screens narrower than any wide plot (`ReportPage.widePlot`), plots also say that they scroll.
enum PageStyle {
    static let css = """
        :root{--text:#1b1f24;--muted:#57606a;--page:#f6f7f9;--card:#ffffff;--grid:#d5dae0;--edge:#d5dae0;
        --link:#0b5fa5;--first:#0072b2;--second:#c14e00;--heat:#0072b2;--heat-text:#000000;--good:#00684c;--bad:#a83b00;--soft:#eaf2f8;--shade:rgba(15,25,40,.38);--clear:rgba(255,255,255,0)}
        @media (prefers-color-scheme:dark){:root{--text:#e6e9ee;--muted:#a3adb8;--page:#101317;--card:#191d22;--grid:#363d46;--edge:#363d46;
        --link:#7fc4f2;--first:#56b4e9;--second:#f0a04b;--heat:#0072b2;--heat-text:#ffffff;--good:#4fd0a5;--bad:#f5a76b;--soft:#1d2a35;--shade:rgba(170,200,230,.45);--clear:rgba(25,29,34,0)}}
        @media print{:root{--text:#000000;--muted:#444444;--page:#ffffff;--card:#ffffff;--grid:#cccccc;--edge:#bbbbbb;
        --link:#000000;--first:#0072b2;--second:#c14e00;--heat:#0072b2;--heat-text:#000000;--good:#00684c;--bad:#a83b00;--soft:#ffffff}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;
        overflow-wrap:anywhere}
        header,main,footer,nav{max-width:76rem;margin:0 auto;padding:0 1rem}
        header{padding-top:1.5rem}
        .time{white-space:nowrap}
        h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3rem}
        h2{font-size:1.3rem;margin:2.4rem 0 .7rem;padding-top:.6rem;border-top:1px solid var(--edge)}
        h3{font-size:1.05rem;margin:1.4rem 0 .5rem}
        p{margin:.5rem 0;max-width:50rem}
        .sub,.note{color:var(--muted)}
        .note{font-size:.92rem}
        a{color:var(--link)}
        .skip{position:absolute;left:-999rem}
        .skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.5rem 1rem;z-index:1}
        nav ul{list-style:none;padding:0;margin:1rem 0;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem}
        nav a{display:inline-block;padding:.25rem 0}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,12.5rem),1fr));gap:.8rem;margin:1rem 0;padding:0}
        .cards>div{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:.8rem 1rem}
        .cards dt{color:var(--muted);font-size:.92rem}
        .cards dd{margin:0}
        .big{font-size:1.9rem;font-weight:600;line-height:1.2}
        .lead{font-size:1.15rem}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:.8rem;align-items:start}
        .plot{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:.4rem;margin:0}
        .plot svg{display:block;max-width:100%;height:auto;margin:0 auto}
        .matrices{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:.8rem}
        .wide,.scroll,pre{overflow-x:auto;background:linear-gradient(90deg,var(--card) 45%,var(--clear)) left/2.5rem 100% no-repeat local,
        linear-gradient(270deg,var(--card) 45%,var(--clear)) right/2.5rem 100% no-repeat local,
        linear-gradient(90deg,var(--shade),transparent) left/.9rem 100% no-repeat scroll,
        linear-gradient(270deg,var(--shade),transparent) right/.9rem 100% no-repeat scroll,var(--card)}
        .wide svg{max-width:none}
        .scroll{margin:.7rem 0;border:1px solid var(--edge);border-radius:.6rem}
        .plots>.scroll{margin:0}
        .scroll:focus-visible,.wide:focus-visible,a:focus-visible,summary:focus-visible,pre:focus-visible{outline:3px solid var(--first);outline-offset:2px}
        table{border-collapse:collapse;width:100%;font-size:.95rem;font-variant-numeric:tabular-nums}
        caption{text-align:left;padding:.6rem .8rem .2rem;color:var(--muted);font-size:.92rem}
        th,td{padding:.35rem .8rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--edge)}
        tbody tr:last-child>*{border-bottom:0}
        tfoot tr>*{border-top:1px solid var(--edge);border-bottom:0}
        thead th{color:var(--muted);font-weight:600;white-space:nowrap}
        tbody th,tfoot th{font-weight:500}
        .facts th{color:var(--muted);width:12rem}
        .n{text-align:right;white-space:nowrap}
        table:not(.facts){overflow-wrap:normal}
        table:not(.facts) tr>:first-child{position:sticky;left:0;background:var(--card);box-shadow:1px 0 var(--edge);max-width:min(20rem,40vw);overflow-wrap:anywhere;white-space:normal}
        table:not(.facts) tr>:first-child:not(.n){min-width:8.5rem}
        .span{color:var(--muted);font-size:.88em}
        .clips{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34rem),1fr));gap:.8rem}
        .clips figure{margin:0;background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:.6rem;min-width:0}
        .clips .wide img{display:block;max-width:100%;height:auto;border-radius:.2rem}
        .scores{list-style:none;margin:.4rem 0 0;padding:0;display:grid;grid-template-columns:minmax(4rem,max-content) 1fr max-content;gap:.15rem .6rem;align-items:center}
        .scores li{display:contents}
        .bar{height:.7rem;border-radius:.2rem;background:var(--first);min-width:1px}
        .other .bar{background:var(--muted)}
        .good{color:var(--good)}
        .bad{color:var(--bad)}
        .advice li{margin:.5rem 0;max-width:52rem}
        details{margin:.7rem 0}
        summary{cursor:pointer;color:var(--link)}
        pre{border:1px solid var(--edge);border-radius:.6rem;padding:.7rem .9rem;font-size:.9rem;margin:.5rem 0}
        code,pre{font-family:ui-monospace,"DejaVu Sans Mono",monospace}
        footer{padding:2rem 1rem;color:var(--muted);font-size:.9rem}
        @media (max-width:30rem){th,td{padding:.3rem .5rem}.facts th{width:6.5rem}h2{font-size:1.2rem}.big{font-size:1.6rem}}
        @media (max-width:28rem){.plot.wide::before{content:"Scrolls sideways \\2192";position:sticky;left:0;display:block;width:max-content;padding:.1rem .4rem .4rem;color:var(--muted);font-size:.88rem}}
        @media print{nav,.skip{display:none}.cards>div,.plot,figure,tr{break-inside:avoid}.scroll,.wide,pre{overflow:visible;background:none}
        pre{white-space:pre-wrap}.wide svg{max-width:100%}.plot.wide::before{content:none}table:not(.facts) tr>:first-child{position:static;box-shadow:none}h2,h3{break-after:avoid}}
        """
}
