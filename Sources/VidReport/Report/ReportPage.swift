import VidSystem

/// `report.html`: one file that needs nothing else, neither scripts nor the network.
///
/// Every number that can be computed from predictions.csv stands in a `data` element with its name and exact value;
/// `Scripts/check_report.py` holds them against scikit-learn.
package struct ReportPage {
    let report: RunReport
    var metrics: EvaluationMetrics { report.metrics }

    package init(_ report: RunReport) { self.report = report }

    /// The page.
    package var html: String {
        let sections = [
            Section("results", "Results", headline),
            Section("next", "What to do next", advice),
            Section("curves", "Training curves", curves),
            Section("confusion", "What is taken for what", confusion),
            Section("classes", "Class by class", classes),
            Section("calibration", "How far to trust the scores", calibration),
            Section("clips", "Clips to look at", examples),
            Section("data", "Data", data),
            Section("model", "Model", model),
            Section("cost", "Time and memory", cost),
            Section("environment", "Environment", environment),
            Section("repeat", "Do it again", repetition),
        ].filter { !$0.body.isEmpty }
        let title = Markup.escaped(report.title)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>Report of \(title)</title>
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
            <h1>Report of \(Markup.path(report.title))</h1>
            <p class="sub">\(subtitle)</p>
            </header>
            <nav aria-label="Sections"><ul>
            \(sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" }.joined(separator: "\n"))
            </ul></nav>
            <main>
            \(sections.map(\.html).joined())</main>
            <footer><p>Made by vidclass \(Markup.escaped(report.environment.version)). All scores are in predictions.csv beside this file; intervals hold the true value with 95 % confidence as far as these clips are a fair sample of what the model will meet.</p></footer>
            </body>
            </html>

            """
    }

    private struct Section {
        let id: String
        let title: String
        let body: String

        init(_ id: String, _ title: String, _ body: String) {
            self.id = id
            self.title = title
            self.body = body
        }

        var html: String {
            "<section aria-labelledby=\"\(id)\">\n<h2 id=\"\(id)\" tabindex=\"-1\">\(title)</h2>\n\(body)</section>\n"
        }
    }

    private var subtitle: String {
        var parts = [
            "\(Formatting.count(metrics.classes.count, "class", "classes"))", "\(Formatting.count(metrics.clips, "clip")) evaluated",
            "model \(Markup.path(report.model.checkpoint))",
        ]
        if let started = report.story?.started { parts.append("trained from \(Markup.escaped(started))") }
        return parts.joined(separator: " \u{B7} ")
    }

    /// "79.8 to 99.3 %", with exact values; empty without an interval.
    func span(_ name: String, _ interval: Interval?) -> String {
        guard let interval else { return "" }
        return Figure.hundredths(name + ".low", interval.low).html + " to " + Figure.percent(name + ".high", interval.high).html
    }

    /// "0.12 to 0.31", with exact values.
    func plainSpan(_ name: String, _ interval: Interval?, _ digits: Int = 3) -> String {
        guard let interval else { return "" }
        return Figure.fixed(name + ".low", interval.low, digits).html + " to " + Figure.fixed(name + ".high", interval.high, digits).html
    }

    /// A picture that scrolls within itself where it is wider than the page.
    func plot(_ picture: Picture, id: String, isWide: Bool = false) -> String {
        let scrolls = isWide ? " wide\" tabindex=\"0\" role=\"group\" aria-label=\"\(Markup.escaped(picture.title)), scrolls sideways" : ""
        return "<div class=\"plot\(scrolls)\">\n\(picture.element(id: id))</div>\n"
    }
}
