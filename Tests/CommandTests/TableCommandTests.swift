import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// Trainings on tables and lists as other programs write them.
@Suite struct TableCommandTests {
    /// A table of the clips `data/{left,right}/00N.bin` of one second each.
    struct Form: Sendable, CustomTestStringConvertible {
        let name: String
        /// Files by their names.
        let files: [String: String]
        let media: String?
        /// The line that `check` prints.
        let table: String
        /// The clips in the splits of the run.
        let splits: [String: Int]
        var testDescription: String { name }
    }

    private static let clips = ["left", "right"].flatMap { label in (0..<6).map { (label: label, number: $0) } }

    private static func lines(_ numbers: Range<Int>, _ line: (String, Int) -> String) -> String {
        clips.filter { numbers.contains($0.number) }.map { line($0.label, $0.number) + "\n" }.joined()
    }

    static let forms = [
        Form(
            name: "UCF-101",
            files: [
                "data/trainlist01.txt": lines(0..<4) { "\($0)/00\($1).avi \($0 == "left" ? 1 : 2)" },
                "data/testlist01.txt": lines(4..<6) { label, number in "\(label)/00\(number).avi" },
                "data/classInd.txt": "1 left\n2 right\n",
            ], media: nil, table: "UCF-101 lists, trainlist01.txt and testlist01.txt", splits: ["train": 6, "val": 2, "test": 4]),
        Form(
            name: "Kinetics",
            files: [
                "train.csv": "label,youtube_id,time_start,time_end,split\n"
                    + lines(0..<6) { "\($0),00\($1),0,10,\($1 < 4 ? "train" : "validate")" } + "left,gone,0,10,train\n"
            ], media: "data", table: "Kinetics: label,youtube_id,time_start,time_end,split", splits: ["train": 8, "val": 4]),
        Form(
            name: "zamba",
            files: [
                "labels.csv": "filepath,label,site,split\n"
                    + lines(0..<6) { "\($0)/00\($1).bin,\($0),\($1),\(["train", "train", "train", "val", "val", "holdout"][$1])" }
            ], media: "data", table: "zamba: filepath,label,split,site", splits: ["train": 6, "val": 4, "test": 2]),
        Form(
            name: "BORIS",
            files: [
                "export.tsv": "Observation id\tSource\tMedia duration (s)\tSubject\tBehavior\tBehavior type\tTime\tMedia file name\n"
                    + lines(0..<6) { label, number in
                        [("START", "0.000"), ("STOP", "0.500"), ("START", "0.500"), ("STOP", "1.000")].map { type, time in
                            "o\(number)\tplayer #1:\(label)\\00\(number).bin\t1.000\t\t\(label)\t\(type)\t\(time)\t\(label)\\00\(number).bin"
                        }.joined(separator: "\n")
                    }
            ], media: "data", table: "BORIS tabular events", splits: ["train": 20, "val": 4]),
    ]

    @Test(arguments: forms)
    func trains(_ form: Form) throws {
        let training = try TinyTraining(training: #""epochs": 2, "batch_size": 4"#, hasData: false)
        let box = training.box
        try box.synthesize(classes: 2, clips: 6, frames: 8, size: 8)
        for (name, text) in form.files { try box.write(name, text: text) }
        let data = try #require(form.files.keys.sorted().last)
        let media = form.media.map { ["--media", $0] } ?? []

        let checked = try training.run(["check", data, "--no-cache"] + media)
        #expect(checked.status == 0, "\(checked.errors)")
        #expect(checked.output.contains("\ntable     " + form.table), "\(checked.output)")

        let trained = try training.run(TinyTraining.words + ["--set", "data.path=" + data] + media)
        try #require(trained.status == 0, "\(trained.errors)")
        let splits = try splits(box)
        #expect(splits == form.splits)

        // What a run has recorded is enough: the form of the table does not matter any more.
        let resumed = try training.run(TinyTraining.resuming + ["--set", "training.epochs=3"])
        #expect(resumed.status == 0, "\(resumed.errors)")
        let evaluated = try training.run(["eval", "--json", "--no-report", "--no-cache"])
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(evaluated.output.contains("\"clips\": \(form.splits["test"] ?? form.splits["val"] ?? 0)"), "\(evaluated.output)")
        let others = try training.run(["eval", "--json", "--no-report", "--no-cache", "--split", "all", "--data", data] + media)
        #expect(others.status == 0, "\(others.errors)")
        #expect(others.output.contains("\"clips\": \(form.splits.values.reduce(0, +))"), "\(others.output)")

        if form.media != nil {
            let missing = try training.run(["check", data, "--no-cache"])
            #expect(missing.status == 66 && missing.errors.contains("--media DIR"), "\(missing.errors)")
        }
    }

    /// The number of clips in each split of the run.
    private func splits(_ box: TestFolder) throws -> [String: Int] {
        let rows = try CSVTable(path: box("runs/train/splits.csv")).records
        return rows.reduce(into: [:]) { $0[$1.fields[2], default: 0] += 1 }
    }
}
