import VidTrain

/// An epoch on one line, as detailed as the terminal's width allows.
///
///     epoch  3/20  loss 0.2241  acc 0.931  val loss 0.1903  val acc 0.950  best  0:42
package struct EpochLine {
    private let record: EpochRecord
    private let isBest: Bool
    private let epochs: Int

    /// - Parameter epochs: the number of epochs of the whole training.
    package init(_ record: EpochRecord, isBest: Bool, epochs: Int) {
        (self.record, self.isBest, self.epochs) = (record, isBest, epochs)
    }

    /// The longest form that fits in `columns` columns, not counting colours.
    package func text(columns: Int, color: Bool) -> String {
        let forms = forms
        let form = forms.first { plain($0).columns <= columns }
        guard let form else { return plain(forms.last ?? []).truncated(toColumns: columns) }
        guard color else { return plain(form) }
        return form.map { $0.isMark ? "\u{1B}[1;32m\($0.text)\u{1B}[0m" : $0.text }.joined()
    }

    private typealias Piece = (text: String, isMark: Bool)

    private func plain(_ parts: [Piece]) -> String { parts.map(\.text).joined().trimmed }

    /// From the longest to the shortest.
    private var forms: [[Piece]] {
        let total = "\(epochs)"
        let epoch = String(repeating: " ", count: max(0, total.count - "\(record.epoch)".count)) + "\(record.epoch)/" + total
        let time = Formatting.duration(record.seconds)
        let (loss, accuracy) = (record.trainLoss, Formatting.fixed(record.trainAccuracy, 3))
        func number(_ value: Double, _ digits: Int) -> String { Formatting.fixed(value, digits) }
        func form(_ train: String, _ validation: String, mark: String, _ end: String) -> [Piece] {
            [
                (train + (record.validation == nil ? "" : validation), false),
                (isBest ? mark : String(repeating: " ", count: mark.count), isBest), (end, false),
            ]
        }
        let (valLoss, valAccuracy) = (record.validation?.loss ?? 0, number(record.validation?.accuracy ?? 0, 3))
        return [
            form(
                "epoch \(epoch)  loss \(number(loss, 4))  acc \(accuracy)", "  val loss \(number(valLoss, 4))  val acc \(valAccuracy)",
                mark: "  best", "  \(time)"),
            form(
                "epoch \(epoch)  loss \(number(loss, 3)) acc \(accuracy)", "  val \(number(valLoss, 3)) acc \(valAccuracy)",
                mark: "  best", " \(time)"),
            form("\(epoch)  loss \(number(loss, 3)) \(accuracy)", "  val \(number(valLoss, 3)) \(valAccuracy)", mark: " *", " \(time)"),
            form("\(epoch)  \(number(loss, 3)) \(accuracy)", "  \(number(valLoss, 3)) \(valAccuracy)", mark: " *", ""),
            form("\(epoch) \(accuracy)", " \(valAccuracy)", mark: "*", ""),
        ]
    }
}
