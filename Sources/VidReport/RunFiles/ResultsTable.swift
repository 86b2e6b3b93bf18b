import VidData
import VidSystem
import VidTensor

/// `results.csv` of a run, read back.
package struct ResultsTable: Sendable {
    package struct Epoch: Sendable, Equatable {
        package let epoch: Int
        package let seconds: Double
        package let trainLoss: Double
        package let trainAccuracy: Double
        /// Nil where there was no validation part.
        package let validationLoss: Double?
        package let validationAccuracy: Double?
        package let learningRate: Double

        package init(
            epoch: Int, seconds: Double, trainLoss: Double, trainAccuracy: Double, validationLoss: Double?, validationAccuracy: Double?,
            learningRate: Double
        ) {
            self.epoch = epoch
            self.seconds = seconds
            self.trainLoss = trainLoss
            self.trainAccuracy = trainAccuracy
            self.validationLoss = validationLoss
            self.validationAccuracy = validationAccuracy
            self.learningRate = learningRate
        }
    }

    package let epochs: [Epoch]

    /// Throws `.badData` for a table that is none of results, with the line.
    package init(path: String) throws {
        let table = try CSVTable(path: path)
        let columns = ResultsFile.header.split(separator: ",").map { name in table.header.firstIndex(of: String(name)) }
        guard let first = columns[0], columns.allSatisfy({ $0 != nil }) else {
            throw VidclassError.file(
                path, "line 1: expected the columns \(ResultsFile.header), found \(table.header.joined(separator: ",").brief)")
        }
        epochs = try table.records.map { record in
            func number(_ column: Int) throws -> Double? {
                guard let index = columns[column] else { return nil }
                let field = record.fields[index]
                if field.isEmpty { return nil }
                guard let value = DecimalText.number(field) else {
                    throw VidclassError.file(path, "line \(record.line): expected a number, found \(field.brief)")
                }
                return value
            }
            guard let epoch = DecimalText.whole(record.fields[first]), (1...1_000_000_000).contains(epoch) else {
                throw VidclassError.file(
                    path, "line \(record.line): expected the number of an epoch, found \(record.fields[first].brief)")
            }
            return Epoch(
                epoch: epoch, seconds: try number(1) ?? 0, trainLoss: try number(2) ?? .nan, trainAccuracy: try number(3) ?? .nan,
                validationLoss: try number(4), validationAccuracy: try number(5), learningRate: try number(6) ?? .nan)
        }
    }
}
