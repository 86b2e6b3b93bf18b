import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct FoldsTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    /// A data set of empty files in a CSV file: for each class the groups of its clips (0: a group of its own).
    private func data(_ classes: [[Int]], test: Int = 0, split: String = "train") throws -> DataSet {
        var text = "path,label,split,group\n"
        for (label, groups) in classes.enumerated() {
            for (number, group) in groups.enumerated() {
                let name = try PathText.name(box.write("c\(label)_\(number).bin"))
                text += "\(name),class \(label),\(number < test ? "test" : split),\(group == 0 ? "" : "g\(group)")\n"
            }
        }
        return try DataSet.open(try box.write("list.csv", text: text), split: .none)
    }

    /// Each clip outside of the test split is in the validation split once and in the training split otherwise.
    private func checkCover(_ folds: [DataSet], _ data: DataSet) {
        for (index, entry) in data.entries.enumerated() {
            let splits = folds.map { $0.entries[index].split }
            if entry.split == .test {
                #expect(splits.allSatisfy { $0 == .test })
            } else {
                #expect(splits.filter { $0 == .validation }.count == 1)
                #expect(splits.filter { $0 == .train }.count == folds.count - 1)
            }
        }
        for fold in folds {
            #expect(fold.classes == data.classes)
            #expect(fold.entries.map(\.id) == data.entries.map(\.id))
        }
    }

    @Test(arguments: [2, 3, 5, 7])
    func balancedWithoutGroups(count: Int) throws {
        let data = try data([Array(repeating: 0, count: 13), Array(repeating: 0, count: 8), Array(repeating: 0, count: 22)], test: 1)
        let (folds, notes) = try data.folds(count, seed: 5)
        checkCover(folds, data)
        #expect(notes == [])
        let counts = folds.map { $0.counts(of: .validation) }
        for label in 0..<3 {
            let column = counts.map { $0[label] }
            #expect((column.max() ?? 0) - (column.min() ?? 0) <= 1, "class \(label): \(column)")
        }
        let sizes = counts.map { $0.reduce(0, +) }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(sizes)")
    }

    @Test func groupsStayWhole() throws {
        let groups = [[1, 1, 1, 2, 2, 3, 4, 4, 5, 6, 6, 6], [7, 7, 8, 8, 9, 9, 10, 10, 11, 0, 0], [1, 2, 12, 12, 13, 14, 15, 16]]
        let data = try data(groups)
        let (folds, _) = try data.folds(3, seed: 1)
        checkCover(folds, data)
        for fold in folds {
            var splits: [String: Set<Split>] = [:]
            for entry in fold.entries { if let group = entry.group { splits[group, default: []].insert(entry.split) } }
            #expect(splits.values.allSatisfy { $0.count == 1 })
            // Every fold has clips of every class, and none has most of any class.
            #expect(fold.counts(of: .validation).allSatisfy { $0 > 0 }, "\(fold.counts(of: .validation))")
            #expect((6...15).contains(fold.entries(of: .validation).count))
        }
    }

    @Test func seeded() throws {
        let data = try data([Array(repeating: 0, count: 20), Array(repeating: 0, count: 20)])
        func splits(_ seed: UInt64) throws -> [[Split]] { try data.folds(4, seed: seed).folds.map { $0.entries.map(\.split) } }
        #expect(try splits(1) == splits(1))
        #expect(try splits(1) != splits(2))
    }

    @Test func tinyClassesAreNoted() throws {
        let data = try data([Array(repeating: 0, count: 10), [0, 0], [0], [1, 1, 1]])
        let (folds, notes) = try data.folds(5, seed: 1)
        checkCover(folds, data)
        #expect(notes.count == 3)
        #expect(notes[0].contains("\"class 1\" has 2 clips, fewer than the 5 folds: 3 folds do not measure it"))
        #expect(notes[1].contains("\"class 2\" has 1 clip,") && notes[1].contains("trained without it"))
        #expect(notes[2].contains("\"class 3\" has 3 clips in 1 group,") && notes[2].contains("trained without it"))
    }

    @Test func aNamedValidationPartIsPutIn() throws {
        let data = try DataSet.open(
            try box.write(
                "l.csv",
                text: "path,label,split\n"
                    + (0..<8).map { "\(try PathText.name(box.write("x\($0).bin"))),\($0 % 2),\($0 < 4 ? "train" : "val")\n" }.joined()))
        let (folds, notes) = try data.folds(4, seed: 1)
        checkCover(folds, data)
        #expect(notes.count == 1 && notes[0].contains("validation split"))
    }

    @Test func refusals() throws {
        let few = try data([[0, 0, 0], [0, 0, 0]])
        #expect(failure { try few.folds(1, seed: 1) }.message.contains("at least two folds"))
        #expect(failure { try few.folds(4, seed: 1) }.message.contains("no class has enough clips for 4 folds"))
        let grouped = try data([[1, 1, 1, 2, 2, 2], [3, 3, 3, 3]])
        #expect(failure { try grouped.folds(4, seed: 1) }.message.contains("3 groups"))
        #expect(try grouped.folds(3, seed: 1).folds.count == 3)
    }
}
