import VidData
import VidSystem

/// The tables and lists that name a data set's clips, in any form.
///
/// An input is the list `train.txt`; after a form feed, the names of its labels, `labels.txt`, and after another one, `test.txt`. They lie
/// in a folder with the clips of the seeds. The list is refused, or each clip is there and has a label, and all notes are printable.
enum FuzzedTable {
    private static let folder = "/dev/shm/vidclass-fuzz-\(getpid())"
    private static let names = ["train.txt", "labels.txt", "test.txt"]
    private static let clips = ["a.mp4", "b.mp4", "c d.avi", "x_000001_000011.mp4", "walk", "walk/v_walk_g01_c01.avi", "walk/y.mp4"]

    /// Makes the folder once.
    private static let isMade: Bool = {
        try? Folder.make(folder)
        for clip in clips {
            if clip == "walk" { try? Folder.make(folder + "/walk") } else { try? write([], clip) }
        }
        atexit {
            for name in (FuzzedTable.clips + FuzzedTable.names).reversed() { remove(FuzzedTable.folder + "/" + name) }
            remove(FuzzedTable.folder)
        }
        return true
    }()

    private static func write(_ bytes: [UInt8], _ name: String) throws {
        try AtomicFile.write(to: folder + "/" + name) { try $0.write(bytes) }
    }

    /// Throws if the list is refused.
    static func check(_ input: [UInt8]) throws {
        precondition(isMade)
        let parts = input.split(separator: 0x0C, maxSplits: 2, omittingEmptySubsequences: false)
        for (number, name) in names.enumerated() {
            if number < parts.count { try write(Array(parts[number]), name) } else { remove(folder + "/" + name) }
        }
        let data = try DataSet.open(folder + "/train.txt", split: .none)
        precondition(!data.entries.isEmpty && Set(data.classes).count == data.classes.count, "\(data.entries.count) clips")
        precondition(data.classes.allSatisfy { !$0.isEmpty && $0.utf8.count <= 1000 }, "\(data.classes)")
        precondition(Set(data.entries.map { Array($0.id.utf8) }).count == data.entries.count, "a clip is listed twice")
        for entry in data.entries {
            precondition(data.classes.indices.contains(entry.label), "the class \(entry.label) of \(data.classes.count)")
            precondition((try? SystemCall.status(ClipPath(entry.path).file)) != nil, "\(entry.path) is not there")
            precondition(entry.place != nil, "\(entry.id) has no line")
        }
        let texts = data.findings.notes + [data.findings.form?.text ?? ""]
        precondition(texts.allSatisfy { $0.printable == $0 && !$0.contains("\n") }, "not printable: \(texts)")
    }
}
