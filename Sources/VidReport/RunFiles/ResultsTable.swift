import VidConfig
import VidData
import VidSystem
import VidTrain

/// The epochs in `results.csv` of a run.
package struct ResultsTable: Sendable {
    package let epochs: [EpochRecord]

    /// - Throws: `.badData` with the line for a table that is not of this kind.
    package init(path: String) throws {
        let table = try CSVTable(path: path)
        let columns = ResultsFile.header.split(separator: ",").compactMap { name in table.header.firstIndex(of: String(name)) }
        guard columns.count == 7 else {
            throw VidclassError.file(
                path, "line 1: expected the columns \(ResultsFile.header), found \(table.header.joined(separator: ",").brief)")
        }
        epochs = try table.records.map { record in
            func number(_ column: Int) throws -> Double? {
                let field = record.fields[columns[column]]
                if field.isEmpty { return nil }
                // guard: numbers-of-results, without: DecimalText.number -> Double
                guard let value = DecimalText.number(field) else {
                    throw VidclassError.file(path, "line \(record.line): expected a number, found \(field.brief)")
                }
                return value
            }
            let first = record.fields[columns[0]]
            guard let epoch = DecimalText.whole(first), (1...1_000_000_000).contains(epoch) else {
                throw VidclassError.file(path, "line \(record.line): expected the number of an epoch, found \(first.brief)")
            }
            var validation: [Metric.Kind: Double] = [:]
            validation[.validationLoss] = try number(4)
            validation[.validationAccuracy] = try number(5)
            return EpochRecord(
                epoch: epoch, seconds: try number(1) ?? 0, trainLoss: try number(2) ?? .nan, trainAccuracy: try number(3) ?? .nan,
                validation: validation.isEmpty ? nil : ValidationMetrics(validation),
                learningRate: try number(6) ?? .nan)
        }
    }
}

extension EpochRecord {
    /// The validation metrics; nil without validation clips.
    package var validationLoss: Double? { validation?.loss }
    package var validationAccuracy: Double? { validation?.accuracy }
}
