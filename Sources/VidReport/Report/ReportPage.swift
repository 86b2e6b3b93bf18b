import VidSystem

/// `report.html`: one file that needs no other file, no scripts and no network.
///
/// Every number that can be computed from predictions.csv is in a `data` element with its name and exact value, so that a program can
/// check it against scikit-learn.
package struct ReportPage {
    let report: RunReport
    var metrics: EvaluationMetrics { report.metrics }
    var sentences: ReportSentences { ReportSentences(report) }

    package init(_ report: RunReport) { self.report = report }

    /// The page.
    package var html: String {
        let all: [(id: String, title: String, body: String)] = [
            ("results", "Results", headline),
            ("next", "What to do next", advice),
            ("curves", "Training curves", curves),
            ("confusion", "Which classes get confused", confusion),
            ("classes", "Class by class", classes),
            ("calibration", "Can you trust the scores?", calibration),
            ("clips", "Example clips", examples),
            ("data", "Data", data),
            ("model", "Model", model),
            ("cost", "Time and memory", cost),
            ("environment", "Environment", environment),
            ("repeat", "How to repeat this", repetition),
        ]
        let sections = all.filter { !$0.body.isEmpty }
        let title = Markup.escaped(report.title)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>\(title): vidclass report</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="vidclass \(Markup.escaped(report.environment.version))">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
            <style>
            \(PageStyle.css)
            </style>
            </head>
            <body>
            <a class="skip" href="#results">Skip to the results</a>
            <header>
            <h1>Report on \(Markup.path(report.title))</h1>
            <p class="sub">\(subtitle)</p>
            </header>
            <nav aria-label="Sections"><ul>
            \(sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" }.joined(separator: "\n"))
            </ul></nav>
            <main>
            \(sections.map {
                "<section aria-labelledby=\"\($0.id)\">\n<h2 id=\"\($0.id)\" tabindex=\"-1\">\($0.title)</h2>\n\($0.body)</section>\n"
            }.joined())</main>
            <footer><p>Made by vidclass \(Markup.escaped(report.environment.version)). The file predictions.csv next to this one has all scores. \(assumption)</p></footer>
            </body>
            </html>

            """
    }

    private var assumption: String {
        report.split == .training || report.split == .all
            ? "" : "The confidence intervals assume that these clips are typical of the clips that the model will be used on."
    }

    private var advice: String {
        let items = Advice.items(report).map { "<li>\($0)</li>\n" }
        let use = "<code>\(Markup.escaped(ShellText.command(predictCommand)))</code></p>\n"
        if items.isEmpty { return "<p>The metrics call for no changes. To use the model: \(use)" }
        return "<ul class=\"advice\">\n\(items.joined())</ul>\n<p>To use the model as it is: \(use)"
    }

    var predictCommand: [String] { ["vidclass", "predict", "video.mp4", "--checkpoint", report.model.checkpoint] }

    private var subtitle: String {
        var parts = [
            "\(Formatting.count(metrics.classes.count, "class", "classes"))", "\(Formatting.count(metrics.clips, "clip")) evaluated",
            "model \(Markup.path(report.model.checkpoint))",
        ]
        if let started = report.story?.record?.started, !started.isEmpty {
            let time = started.prefix(25).replacing("T", with: " ").replacing("Z", with: " UTC")
            parts.append("training started <span class=\"time\">\(Markup.escaped(String(time)))</span>")
        }
        return parts.joined(separator: " \u{B7} ")
    }

    /// "79.8 to 99.3 %", with exact values; empty without an interval.
    func span(_ name: String, _ interval: Interval?) -> String {
        guard let interval else { return "" }
        return DataElement.hundredths(name + ".low", interval.low) + " to " + DataElement.percent(name + ".high", interval.high)
    }

    /// A picture of more pixels keeps its size and scrolls sideways; a screen of 28 rem has less room for it.
    static let widePlot = 420.0

    /// A picture, which scrolls sideways if it is wide, and shrinks with the page otherwise.
    func plot(_ picture: Picture, id: String) -> String {
        let scrolls =
            picture.width > ReportPage.widePlot
            ? " wide\" tabindex=\"0\" role=\"group\" aria-label=\"\(Markup.escaped(picture.title)), scrolls sideways" : ""
        return "<div class=\"plot\(scrolls)\">\n\(picture.element(id: id))</div>\n"
    }
}
