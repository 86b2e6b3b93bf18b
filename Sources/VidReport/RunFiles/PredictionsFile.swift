import VidData
import VidSystem
import VidTrain

/// `predictions.csv`: a model's answer and all its scores for every clip of an evaluation.
///
///     clip,label,prediction,confidence,score/climbing,score/cooking
///     test/climbing/a.mp4,climbing,climbing,0.93,0.93,0.07
///
/// The format is CSV (RFC 4180) in UTF-8 with LF line ends. `clip` is relative to the data's folder, `prediction` is the class with the
/// highest score (the first of equals), `confidence` is that score. The scores are in the order of the classes and read back exactly.
package enum PredictionsFile {
    private static let columns = ["clip", "label", "prediction", "confidence"]
    private static let scorePrefix = "score/"
    /// The most classes that are read: the confusion matrix has a count for each pair of them.
    private static let mostClasses = 8192

    /// Writes `evaluation` to `path`, completely or, after an error or a kill, not at all.
    package static func write(_ evaluation: Evaluation, to path: String) throws {
        try AtomicFile.write(to: path) { file in
            var text = CSVText.line(columns + evaluation.classes.map { scorePrefix + $0 })
            for clip in evaluation.clips {
                let decision = clip.decision
                text += CSVText.line(
                    [clip.clip, evaluation.classes[clip.label], evaluation.classes[decision]].map(CSVText.cell) + [
                        "\(clip.scores[decision])"
                    ]
                        + clip.scores.map { "\($0)" })
                if text.utf8.count > 1 << 20 {
                    try file.write(text.utf8)
                    text = ""
                }
            }
            try file.write(text.utf8)
        }
    }

    /// Reads the classes and the clips with their scores.
    ///
    /// - Throws: `.badData` for a table without these columns, an unknown label, a repeated clip or class, or a score that is not a number
    ///   from 0 to 1.
    package static func read(_ path: String) throws -> (classes: [String], clips: [ClipScores]) {
        let table = try CSVTable(path: path)
        guard Array(table.header.prefix(columns.count)) == columns, table.header.count > columns.count,
            table.header.dropFirst(columns.count).allSatisfy({ $0.hasPrefix(scorePrefix) })
        else {
            throw VidclassError.file(
                path,
                "line 1: expected the header \(columns.joined(separator: ",")),score/..., found \(table.header.joined(separator: ",").brief)"
            )
        }
        guard table.header.count <= columns.count + mostClasses else {
            throw VidclassError.file(
                path, "line 1: found scores of \(table.header.count - columns.count) classes, expected at most \(mostClasses)")
        }
        let classes = table.header.dropFirst(columns.count).map { String($0.dropFirst(scorePrefix.count)) }
        if let twice = classes.indices.first(where: { classes.firstIndex(of: classes[$0]) != $0 }) {
            throw VidclassError.file(path, "line 1: the column \(scorePrefix)\(classes[twice].brief) appears twice")
        }
        var lines: [[UInt8]: Int] = [:]
        let clips = try table.records.map { record in
            if let first = lines.updateValue(record.line, forKey: Array(record.fields[0].utf8)) {
                throw VidclassError.file(path, "line \(record.line): \(record.fields[0].brief) is already in line \(first)")
            }
            guard let label = classes.firstIndex(of: record.fields[1]) else {
                throw VidclassError.file(path, "line \(record.line): the label \(record.fields[1].brief) has no column of scores")
            }
            let scores = try record.fields.dropFirst(columns.count).map { field in
                guard DecimalText.number(field) != nil, let score = Float(field), (0...1).contains(score) else {
                    throw VidclassError.file(path, "line \(record.line): expected a score from 0 to 1, found \(field.brief)")
                }
                return score
            }
            return ClipScores(clip: record.fields[0], label: label, scores: scores)
        }
        return (classes, clips)
    }
}
