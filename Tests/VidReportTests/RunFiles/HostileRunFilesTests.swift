import Testing
import VidReport
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Files in a run's folder may come from anybody.
@Suite struct HostileRunFilesTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    @Test(arguments: [
        "[9223372036854775807,1]", "[-1,1]", "[-9223372036854775808,0]", "[1.5,1]", "[1]", "[1,2,3]", "\"x\"",
    ])
    func invalidCountsLeaveTheSplitOut(counts: String) throws {
        let path = try box.write("data.json", text: #"{"data":"x","classes":["a","b"],"parts":{"train":\#(counts),"val":[2,3]}}"#)
        let summary = try #require(DataSummary(readingFrom: path))
        #expect(summary.splits.map(\.name) == ["val"])
        #expect(summary.clips(of: "train") == 0 && summary.clips(of: "val") == 5)
    }

    @Test(arguments: [-1e300, -.greatestFiniteMagnitude, 1e300, .infinity, -.infinity, .nan, -1e9, 1e9]) func noDuration(seconds: Double) {
        #expect(Formatting.duration(seconds) == "?")
    }

    private static let header = "epoch,time,train/loss,train/categorical_accuracy,val/loss,val/categorical_accuracy,lr\n"

    @Test(arguments: [
        ("1,inf,1,1,1,1,1", "expected a number, found inf"), ("1,1,nan,1,1,1,1", "expected a number, found nan"),
        ("1,1,1,1e400,1,1,1", "found 1e400"), ("1,0x10,1,1,1,1,1", "found 0x10"), ("1,1_000,1,1,1,1,1", "found 1_000"),
        ("1,+1,1,1,1,1,1", "found +1"), ("1,\"1,5\",1,1,1,1,1", "found 1,5"), ("1, 1,1,1,1,1,1", "found  1"),
        ("1.0,1,1,1,1,1,1", "the number of an epoch, found 1.0"), ("01,1,1,1,1,1,1", "the number of an epoch, found 01"),
        ("-1,1,1,1,1,1,1", "the number of an epoch"), ("0,1,1,1,1,1,1", "the number of an epoch"),
        ("9223372036854775808,1,1,1,1,1,1", "the number of an epoch"), ("1,1,1", "expected 7 fields"),
        ("1,1,\u{1B}[31m,1,1,1,1", "found \\u{1b}[31m"),
    ])
    func resultsThatAreNone(line: String, reason: String) throws {
        let path = try box.write("results.csv", text: HostileRunFilesTests.header + line + "\n")
        let error = #expect(throws: VidclassError.self) { _ = try ResultsTable(path: path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.hasPrefix(path + ": line 2: ") == true && error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    /// A resumed run keeps the complete lines of its own epochs.
    @Test(arguments: [
        ("2,2", 1), ("2,2,1,1,1,1,nan", 1), ("2,2,1,1,1,1,1,1", 1), ("3,2,1,1,1,1,1", 1), ("+2,2,1,1,1,1,1", 1), ("2,2,1,1,,,1", 2),
        ("2,2,1,1,1,1,1", 2),
    ])
    func goingOnKeepsWholeLines(line: String, kept: Int) throws {
        let path = try box.write("results.csv", text: HostileRunFilesTests.header + "1,1.5,1,1,1,1,1\n" + line + "\n3,3,1,1,1,1,1\n")
        let file = try ResultsFile(path: path, keeping: 2)
        #expect(try ResultsTable(path: path).epochs.map(\.epoch) == Array(1...kept))
        #expect(file.secondsSoFar == (kept == 1 ? 1.5 : 2))
    }

    @Test(arguments: [
        ("score/x,score/x\na,x,x,1,1,0\n", "line 1: the column score/x appears twice"),
        ("score/x,score/y\na,x,x,1,1,0\na,x,x,1,1,0\n", "line 3: a is already in line 2"),
        ("score/x,score/y\na,x,x,1,0x1p0,0\n", "expected a score from 0 to 1, found 0x1p0"),
        ("score/x,score/y\na,x,x,1,+1,0\n", "found +1"), ("score/x,score/y\na,x,x,1,-0.5,0\n", "found -0.5"),
        ("score/x,score/y\na,x,x,1,1e400,0\n", "found 1e400"), ("score/x,score/y\na,x,x,1,,0\n", "found "),
        ("score/x,score/y\na,x,x,1,1\n", "line 2: expected 6 fields"), ("score/x,score/y\na,X,x,1,1,0\n", "the label X has no column"),
    ])
    func predictionsThatAreNone(text: String, reason: String) throws {
        let path = try box.write("predictions.csv", text: "clip,label,prediction,confidence," + text)
        let error = #expect(throws: VidclassError.self) { _ = try PredictionsFile.read(path) }
        #expect(error?.kind == .badData)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }
}
