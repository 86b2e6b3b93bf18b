import VidConfig
import VidSystem
import VidTensor

/// What a clip is for.
package enum Split: String, Sendable, CaseIterable {
    case train
    case validation = "val"
    case test

    /// `train`; `val`, `validation` or `valid`; `test`.
    package init?(name: String) {
        switch name {
        case "train": self = .train
        case "val", "validation", "valid": self = .validation
        case "test": self = .test
        default: return nil
        }
    }
}

/// Labelled clips, each with the part it belongs to.
package struct DataSet: Sendable {
    package struct Entry: Sendable, Equatable {
        /// Where the file is, as it can be opened.
        package var path: String
        /// Its name in reports: the path relative to the data.
        package var id: String
        /// Its place in `classes`.
        package var label: Int
        package var part: Split
        /// Clips of one group stay on one side of a split; nil = a group of its own.
        package var group: String?

        package init(path: String, id: String, label: Int, part: Split, group: String? = nil) {
            self.path = path
            self.id = id
            self.label = label
            self.part = part
            self.group = group
        }
    }

    /// What was found besides the clips.
    package struct Findings: Sendable, Equatable {
        /// Files passed over because they are no clips, relative to the data, sorted.
        package var otherFiles: [String] = []
        /// Labels that the model does not know, sorted, with the clips that were left out for them.
        package var unknownLabels: [UnknownLabel] = []
        /// What the user should know: a class without clips in a part, a group on two sides, folders linked in a circle.
        package var notes: [String] = []
    }

    /// A label that is none of a model's classes.
    package struct UnknownLabel: Sendable, Equatable {
        package let label: String
        package let clips: Int
        /// The class that is spelt most like it, if any is.
        package let nearest: String?
    }

    package let path: String
    package let classes: [String]
    package let entries: [Entry]
    package let findings: Findings
    /// Whether the data names its own parts (folders or a column); else all are made by a split.
    package let namesParts: Bool

    /// How parts that the data does not name are made.
    package struct SplitOptions: Sendable {
        package var seed: UInt64
        /// Shares of the clips of each class.
        package var validation: Double
        package var test: Double

        package init(seed: UInt64 = 1, validation: Double = 0.2, test: Double = 0) {
            self.seed = seed
            self.validation = validation
            self.test = test
        }

        package static let none = SplitOptions(validation: 0, test: 0)
    }

    /// Opens the data at `path`: `DIR/<class>/<clip>`, `DIR/{train,val,test}/<class>/<clip>`, or a CSV file with the header
    /// `path,label[,split][,group]`.
    ///
    /// With `classes` (a checkpoint's) labels are numbered by it, and a label it lacks is an error, or with `leavesOutUnknown`
    /// its clips are left out and counted in the findings; without `classes`, these are the sorted labels of the training part. A validation or test part that the data does not name is split from the
    /// training part by `split`.
    package static func open(
        _ path: String, split: SplitOptions = SplitOptions(), classes: [String]? = nil, leavesOutUnknown: Bool = false
    ) throws -> DataSet {
        try split.check()
        let status = try SystemCall.status(path)
        var found: FoundClips
        switch status.kind {
        case .folder: found = try FolderLayout.read(path, mayLackTraining: classes != nil)
        case .file where PathText.fileExtension(path) == "csv": found = try TableLayout.read(path)
        default:
            throw VidclassError.file(
                path, "expected a folder with a folder for each class, a folder with train, val and test, or a .csv file")
        }
        guard !found.clips.isEmpty else {
            throw VidclassError.file(path, "no clips found (.bin, .npy or videos)\(found.otherFilesNote)")
        }
        let classes = try classes ?? sortedLabels(found, path)
        let unknown = unknownLabels(found, classes)
        if leavesOutUnknown {
            let known = Set(classes)
            found.clips.removeAll { !known.contains($0.label) }
        }
        let entries = try entries(found, classes, path)
        let namesParts = found.parts != nil
        let made = StratifiedSplit.make(entries, classes: classes, options: split, given: found.parts ?? [.train])
        var findings = Findings(otherFiles: found.otherFiles, unknownLabels: unknown, notes: found.notes + made.notes)
        if namesParts { findings.notes += groupsOnTwoSides(made.entries) }
        return DataSet(path: path, classes: classes, entries: made.entries, findings: findings, namesParts: namesParts)
    }

    /// The clips of `part`, in the order of `entries`.
    package func entries(of part: Split) -> [Entry] { entries.filter { $0.part == part } }

    /// Clips of each class in `part`.
    package func counts(of part: Split) -> [Int] {
        var counts = [Int](repeating: 0, count: classes.count)
        for entry in entries where entry.part == part { counts[entry.label] += 1 }
        return counts
    }

    /// What was passed over, in one line; nil where nothing was.
    package var otherFilesSummary: String? {
        let names = findings.otherFiles
        guard !names.isEmpty else { return nil }
        let shown = names.prefix(3).map(\.printable).joined(separator: ", ")
        let rest = names.count > 3 ? " and \(names.count - 3) more" : ""
        return "\(names.count) other \(names.count == 1 ? "file" : "files") passed over: \(shown)\(rest)"
    }

    static func sortedLabels(_ found: FoundClips, _ path: String) throws -> [String] {
        let training = found.clips.filter { ($0.part ?? .train) == .train }
        guard !training.isEmpty else {
            throw VidclassError.file(path, "has no training part, so its classes are not known")
        }
        let labels = Array(Set(training.map(\.label))).sorted(by: PathText.precedes)
        guard labels.count > 1 else {
            throw VidclassError.file(path, "expected at least two classes, found only \"\(labels[0].printable)\"")
        }
        return labels
    }

    static func entries(_ found: FoundClips, _ classes: [String], _ path: String) throws -> [Entry] {
        var numbers: [String: Int] = [:]
        for (number, label) in classes.enumerated() { numbers[label] = number }
        return try found.clips.map { clip in
            guard let label = numbers[clip.label] else { throw unknownLabelError(clip, unknownLabels(found, classes), classes, path) }
            return Entry(path: clip.path, id: clip.id, label: label, part: clip.part ?? .train, group: clip.group)
        }
    }

    /// The labels of clips that are none of `classes`.
    private static func unknownLabels(_ found: FoundClips, _ classes: [String]) -> [UnknownLabel] {
        let known = Set(classes)
        var counts: [String: Int] = [:]
        for clip in found.clips where !known.contains(clip.label) { counts[clip.label, default: 0] += 1 }
        return counts.sorted { PathText.precedes($0.key, $1.key) }.map {
            UnknownLabel(label: $0.key, clips: $0.value, nearest: nearestWord(to: $0.key, among: classes))
        }
    }

    /// What to say of labels that a model does not know; `clip` is the first that has one.
    private static func unknownLabelError(
        _ clip: FoundClips.Clip, _ unknown: [UnknownLabel], _ classes: [String], _ path: String
    ) -> VidclassError {
        let known = classes.prefix(8).map(\.printable).joined(separator: ", ") + (classes.count > 8 ? ", ..." : "")
        let all = unknown.prefix(8).map(\.text).joined(separator: ", ") + (unknown.count > 8 ? ", ..." : "")
        let clips = unknown.reduce(0) { $0 + $1.clips }
        let more =
            unknown.count == 1 ? all : "\(unknown.count) labels with \(clips) clips are unknown: \(all)"
        return .file(
            path,
            "\(clip.place.printable): the label \"\(clip.label.printable)\" is none of the \(classes.count) classes of training (\(known)); "
                + more + ". Rename them; `eval --ignore-unknown-labels` leaves those clips out")
    }

    /// A note for each group that given parts tear apart.
    private static func groupsOnTwoSides(_ entries: [Entry]) -> [String] {
        var parts: [String: Set<Split>] = [:]
        for entry in entries { if let group = entry.group { parts[group, default: []].insert(entry.part) } }
        let torn = parts.filter { $0.value.count > 1 }.keys.sorted(by: PathText.precedes)
        guard let first = torn.first else { return [] }
        return ["\(torn.count) groups have clips in more than one part, \"\(first.printable)\" for one: results may be too good"]
    }
}

extension DataSet.UnknownLabel {
    /// `"pnog" (3 clips; "pong"?)`.
    package var text: String {
        "\"\(label.printable)\" (\(clips) \(clips == 1 ? "clip" : "clips")" + (nearest.map { "; \"\($0.printable)\"?" } ?? "") + ")"
    }
}

extension DataSet.SplitOptions {
    func check() throws {
        for (name, share) in [("validation_split", validation), ("test_split", test)] {
            guard share >= 0, share < 1 else {
                throw VidclassError(.badData, "data.\(name): expected a share from 0 to below 1, found \(share)")
            }
        }
        guard validation + test < 1 else {
            throw VidclassError(
                .badData, "data.validation_split and data.test_split make \(validation + test); nothing is left for training")
        }
    }
}

/// Clips with their labels, before these are numbered.
struct FoundClips {
    struct Clip {
        var path: String
        var id: String
        /// Where it stands, for errors: its id, or the table's line.
        var place: String
        var label: String
        var part: Split?
        var group: String?
    }

    var clips: [Clip] = []
    /// The parts the data names; nil where it names none.
    var parts: Set<Split>?
    var otherFiles: [String] = []
    var notes: [String] = []
    /// Of folders: the data folder without links, and links that lead out of it.
    var root = ""
    var linksOut: [FolderLink] = []

    var otherFilesNote: String {
        guard let first = otherFiles.first else { return "" }
        return "; \(otherFiles.count) other files, \(first.printable) for one"
    }
}
