import Foundation
import Testing
import VidConfig
import VidReport
import VidTestSupport
import VidTrain

@Suite struct ResultsFileTests {
    private func record(_ epoch: Int, validation: Double? = 0.5) -> EpochRecord {
        EpochRecord(
            epoch: epoch, seconds: Double(epoch) * 1.5, trainLoss: 0.1 + 0.2, trainAccuracy: 0.75,
            validation: validation.map { ValidationMetrics([.validationLoss: $0, .validationAccuracy: $0]) }, learningRate: 0.002)
    }

    private func withFile(_ body: (String) throws -> Void) throws {
        let folder = try TestFolder()
        try body(folder("results.csv"))
        withExtendedLifetime(folder) {}
    }

    @Test func writesALineAnEpochThatReadsBackExactly() throws {
        try withFile { path in
            var file = try ResultsFile(path: path, keeping: 0)
            try file.append(record(1))
            try file.append(record(2, validation: nil))
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(
                text == """
                    epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr
                    1,1.500,0.30000000000000004,0.75,0.5,0.5,0.002
                    2,3.000,0.30000000000000004,0.75,,,0.002

                    """)
        }
    }

    @Test func resumingDropsEpochsAfterTheCheckpointAndTornLines() throws {
        try withFile { path in
            var file = try ResultsFile(path: path, keeping: 0)
            for epoch in 1...4 { try file.append(record(epoch)) }
            var resumed = try ResultsFile(path: path, keeping: 2)
            #expect(resumed.secondsSoFar == 3)
            try resumed.append(record(3))
            let beginnings = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { $0.prefix(2) }
            #expect(beginnings == ["ep", "1,", "2,", "3,"])
        }
    }

    /// Truncated at every byte of its last line, the file keeps its complete lines and reports the loss.
    @Test func aTornLastLineIsDroppedAtEveryByte() throws {
        try withFile { path in
            var file = try ResultsFile(path: path, keeping: 0)
            for epoch in 1...3 { try file.append(record(epoch)) }
            #expect(file.fault == nil)
            let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let start = try #require(whole.dropLast().lastIndex(of: UInt8(ascii: "\n"))) + 1
            for end in start..<whole.count {
                try Data(whole[..<end]).write(to: URL(fileURLWithPath: path))
                #expect(throws: Never.self) { if end > start { _ = try? ResultsTable(path: path) } }
                let resumed = try ResultsFile(path: path, keeping: 3)
                #expect(
                    resumed.fault?.hasSuffix(
                        "only 2 of the 3 finished epochs have complete lines; the others are lost. The training continues.")
                        == true)
                #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == Array(whole[..<start]), "\(end)")
                #expect(try ResultsTable(path: path).epochs.count == 2)
            }
            // A damaged line in the middle of the table.
            for torn in [
                "2,3.0", "2,3.0,0.3,0.75,0.5,0.5,0.002,1", "x,3.0,0.3,0.75,0.5,0.5,0.002", "1,3.0,0.3,0.75,0.5,0.5,0.002", "\u{0}",
            ] {
                var lines = String(decoding: whole, as: UTF8.self).split(separator: "\n").map(String.init)
                lines[2] = torn
                try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
                var resumed = try ResultsFile(path: path, keeping: 3)
                #expect(resumed.fault != nil)
                try resumed.append(record(4))
                #expect(try ResultsTable(path: path).epochs.map(\.epoch) == [1, 3, 4], "\(torn)")
            }
        }
    }
}
