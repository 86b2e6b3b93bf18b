import FoundationEssentials
import VidSystem

/// Example clips as strips of frames with their scores.
extension ReportPage {
    var examples: String {
        let groups = report.examples.filter { !$0.examples.isEmpty }
        guard !groups.isEmpty else { return "" }
        let havePictures = groups.contains { $0.examples.contains { $0.picture != nil } }
        var text = ""
        if havePictures {
            text += "<p>Below each frame is the same frame with light colours where the model looked, on a scale of its own, and a bar "
            text += "of the frame's share of the decision, with what it adds to the raw score of the class or takes from it.</p>\n"
        }
        for kind in ExampleGroup.Kind.allCases {
            guard let group = groups.first(where: { $0.kind == kind }) else { continue }
            text += "<h3>\(ReportPage.title(kind))</h3>\n<div class=\"clips\">\n\(group.examples.map(figure).joined())</div>\n"
        }
        return text
    }

    private static func title(_ kind: ExampleGroup.Kind) -> String {
        switch kind {
        case .best: "Right, with high scores"
        case .worst: "Wrong, with the lowest scores of the true class"
        case .doubtful: "Undecided: of the other clips, those whose two highest scores are the closest"
        }
    }

    private func figure(_ example: ClipExample) -> String {
        let ranked = example.ranked(3)
        let decision = ranked.first ?? 0
        let isRight = decision == example.label
        let verdict =
            isRight
            ? "<span class=\"good\">right</span>: \(Markup.quoted(metrics.classes[decision]))"
            : "<span class=\"bad\">wrong</span>: classified as \(Markup.quoted(metrics.classes[decision])), but it is \(Markup.quoted(metrics.classes[example.label]))"
        var text = "<figure>\n"
        switch example.picture {
        case nil: text += example.remark.map { "<p class=\"note\">\(Markup.escaped($0))</p>\n" } ?? ""
        case .success(let picture)?:
            text += "<div class=\"wide\">"
            text +=
                "<img src=\"data:image/png;base64,\(Data(picture.png).base64EncodedString())\" width=\"\(picture.width)\" height=\"\(picture.height)\" alt=\"\(Markup.escaped(picture.description))\"></div>\n"
        case .failure(let fault)?: text += "<p class=\"note\">The frames cannot be shown: \(Markup.escaped(fault.message))</p>\n"
        }
        text += "<figcaption><strong>\(Markup.path(example.clip))</strong><br>\(verdict)\n<ul class=\"scores\">\n"
        // The true class is always listed.
        let shown = ranked.contains(example.label) ? ranked : ranked.prefix(2) + [example.label]
        for label in shown {
            let score = Double(example.scores[label])
            let mark = label == example.label ? "<span aria-hidden=\"true\"> \u{2713}</span>" : ""
            text += "<li\(label == example.label ? "" : " class=\"other\"")><span>\(Markup.name(metrics.classes[label]))\(mark)</span>"
            text +=
                "<span aria-hidden=\"true\"><span class=\"bar\" style=\"display:block;width:\(Markup.number(score * 100))%\"></span></span>"
            text += "<span class=\"n\">\(DataElement.percent("clip.\(example.place).score.\(label)", score))</span></li>\n"
        }
        return text + "</ul></figcaption>\n</figure>\n"
    }
}
