import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct SplitTests {
    /// Opens clips named `label/number.bin` with the given counts.
    static func open(_ counts: [String: Int], _ options: DataSet.SplitOptions, name: (Int) -> String = { "\($0).bin" }) throws -> DataSet {
        let folder = try TestFolder()
        for (label, count) in counts { for number in 0..<count { try folder.write("\(label)/\(name(number))") } }
        return try DataSet.open(folder.path, split: options)
    }

    /// Each class contributes its share, rounded, and at least one clip.
    @Test func stratified() throws {
        let data = try SplitTests.open(["a": 50, "b": 10, "c": 13, "d": 2], .init(validation: 0.2, test: 0.1))
        #expect(data.counts(of: .validation) == [10, 2, 3, 0])
        #expect(data.counts(of: .test) == [5, 1, 1, 1])
        #expect(data.counts(of: .train) == [35, 7, 9, 1])
        #expect(data.findings.notes == ["the class \"d\" has no clips in the split \"val\": its 2 training clips cannot be divided"])
    }

    @Test func aClassOfOneClipStaysInTraining() throws {
        let data = try SplitTests.open(["a": 5, "b": 1], .init(validation: 0.5))
        #expect(data.counts(of: .train) == [2, 1])
        #expect(data.counts(of: .validation) == [3, 0])
        #expect(data.findings.notes.count == 1)
    }

    @Test func seeded() throws {
        let folder = try TestFolder()
        for label in ["a", "b"] { for number in 0..<40 { try folder.write("\(label)/\(number).bin") } }
        func held(_ seed: UInt64) throws -> [String] {
            try DataSet.open(folder.path, split: .init(seed: seed)).entries(of: .validation).map(\.id)
        }
        let first = try held(1)
        #expect(first.count == 16)
        #expect(try held(1) == first)
        #expect(try held(2) != first)
    }

    /// UCF-101's names: 10 groups of 4 clips per class stay whole, and the share is met.
    @Test func groupsByName() throws {
        let data = try SplitTests.open(["Basketball": 40, "Diving": 40], .init(validation: 0.2)) { number in
            "v_X_g0\(number / 4)_c0\(number % 4).avi"
        }
        #expect(data.counts(of: .validation) == [8, 8])
        var splits: [String: Set<Split>] = [:]
        for entry in data.entries { splits[entry.group ?? "", default: []].insert(entry.split) }
        #expect(splits.count == 20)
        #expect(splits["Basketball/v_X_g03"] != nil)
        #expect(splits.values.allSatisfy { $0.count == 1 })
    }

    @Test func namesWithoutGroups() throws {
        let data = try SplitTests.open(["a": 2, "b": 2], .none) { ["goal_12.bin", "v_g1_c01.bin"][$0] }
        #expect(data.entries.allSatisfy { $0.group == nil })
    }

    /// Groups of a table that hold several classes, and classes whose groups are larger than their share.
    @Test func groupsOfATable() throws {
        let folder = try TestFolder()
        var text = "path,label,group\n"
        for number in 0..<60 {
            try folder.write("\(number).bin")
            text += "\(number).bin,\(["a", "b", "c"][number % 3]),take\(number / 20)\n"
        }
        try folder.write("data.csv", text: text)
        let data = try DataSet.open(folder("data.csv"), split: .init(validation: 0.1))
        let held = data.entries(of: .validation)
        // Three groups of 20 clips of all classes: a tenth is impossible, so one group moves.
        #expect(held.count == 20)
        #expect(Set(held.map(\.group)).count == 1)
        #expect(data.findings.notes.isEmpty)
    }

    @Test func aClassOfOneGroupCannotBeDivided() throws {
        let data = try SplitTests.open(["a": 6, "b": 6], .init(validation: 0.3)) { "v_X_g01_c0\($0).avi" }
        #expect(data.counts(of: .validation) == [0, 0])
        #expect(data.findings.notes.count == 2)
    }

    @Test func groupsInSeveralGivenSplits() throws {
        let folder = try TestFolder()
        for name in ["train/a/v_g01_c01.avi", "val/a/v_g01_c02.avi", "train/b/v_g01_c01.avi", "val/b/v_g02_c01.avi"] {
            try folder.write(name)
        }
        let data = try DataSet.open(folder.path)
        #expect(data.findings.notes.count == 1)
        #expect(data.findings.notes.first?.contains("1 group has clips in more than one split, for example \"a/v_g01\"") == true)
    }

    // MARK: - Segments

    /// Segments of one video, however its path is spelt, stay together, with the whole video and with all of their groups.
    @Test func segmentsStayTogether() throws {
        let folder = try TestFolder()
        for video in 0..<10 { try folder.write("v\(video).bin") }
        try folder.write("loose.bin")
        var rows: [[String]] = []
        for video in 0..<10 {
            for part in 0..<8 {
                rows.append(["\(part % 2 == 0 ? "" : "./")v\(video).bin#t=\(part),\(part + 1)", part < 4 ? "a" : "b", ""])
            }
        }
        // A group joins two videos; a whole video belongs to its segments.
        rows[0][2] = "day 1"
        rows[10][2] = "day 1"
        rows += [["v3.bin", "a", ""], ["loose.bin", "b", "day 1"]]
        let table = try folder.write("table.csv", text: "path,label,group\n" + rows.map(CSVText.line).joined())
        for seed in 1...5 {
            let data = try DataSet.open(table, split: .init(seed: UInt64(seed), validation: 0.3, test: 0.2))
            var splits: [String: Set<Split>] = [:]
            for entry in data.entries { splits[PathText.name(ClipPath(entry.path).file), default: []].insert(entry.split) }
            #expect(splits.count == 11 && splits.values.allSatisfy { $0.count == 1 })
            #expect(splits["v0.bin"] == splits["v1.bin"] && splits["loose.bin"] == splits["v0.bin"])
            #expect(data.counts(of: .validation).allSatisfy { (8...16).contains($0) }, "\(data.counts(of: .validation))")
            #expect(!data.findings.notes.contains { $0.contains("more than one split") })
            for fold in try data.folds(3, seed: UInt64(seed)).folds {
                let held = Set(fold.entries(of: .validation).map { PathText.name(ClipPath($0.path).file) })
                #expect(!held.isEmpty && fold.entries(of: .train).allSatisfy { !held.contains(PathText.name(ClipPath($0.path).file)) })
            }
        }
    }

    @Test func segmentsInSplitsOfTheTable() throws {
        let folder = try TestFolder()
        for video in 0..<3 { try folder.write("v\(video).bin") }
        var rows: [String] = []
        for video in 0..<3 {
            for part in 0..<4 {
                let split = video < 2 && part > 1 ? "test" : "train"
                rows.append(CSVText.line(["v\(video).bin#frame=\(part),\(part + 1)", part % 2 == 0 ? "a" : "b", split]))
            }
        }
        let data = try DataSet.open(try folder.write("table.csv", text: "path,label,split\n" + rows.joined()), split: .none)
        #expect(data.counts(of: .test) == [2, 2])
        #expect(
            data.findings.notes.contains {
                $0.hasPrefix("2 videos have segments in more than one split, for example v0.bin.")
            }, "\(data.findings.notes)")
    }

    @Test func oneVideoCannotBeDivided() throws {
        let folder = try TestFolder()
        try folder.write("v.bin")
        let rows = (0..<8).map { CSVText.line(["v.bin#t=\($0),\($0 + 1)", $0 % 2 == 0 ? "a" : "b"]) }
        let data = try DataSet.open(try folder.write("table.csv", text: "path,label\n" + rows.joined()))
        #expect(data.counts(of: .validation) == [0, 0])
        #expect(data.findings.notes.allSatisfy { $0.contains("because they are segments of one video") } && data.findings.notes.count == 2)
    }
}
