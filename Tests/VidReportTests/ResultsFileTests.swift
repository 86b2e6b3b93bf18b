import Foundation
import Testing
import VidReport
import VidTestSupport
import VidTrain

@Suite struct ResultsFileTests {
    private func record(_ epoch: Int, validation: Double? = 0.5) -> EpochRecord {
        EpochRecord(
            epoch: epoch, seconds: Double(epoch) * 1.5, trainLoss: 0.1 + 0.2, trainAccuracy: 0.75,
            validation: validation.map { ValidationFigures(loss: $0, accuracy: $0) }, learningRate: 0.002)
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
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.map { $0.prefix(2) } == ["ep", "1,", "2,", "3,"])
        }
    }
}
