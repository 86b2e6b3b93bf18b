import VidConfig
import VidSystem

/// Clips with their labels, before labels are numbered.
struct FoundClips {
    struct Clip {
        var path: String
        var id: String
        var label: String
        var split: Split?
        var group: String?
        /// For tables: the one that names it, and its line there.
        var table: String?
        var line = 0
        /// That of its file when it was listed; nil for a folder, for what a link leads to, and if it is not known.
        var status: FileStatus?

        /// Its line, with the name of its table if that is not `table`; its id in folders.
        func place(in table: String) -> String {
            guard let own = self.table else { return id.printable }
            return (own.hasSameBytes(as: table) ? "" : PathText.name(own).printable + ", ") + "line " + String(line)
        }

        /// An error about the clip of the data at `data`.
        func error(_ message: String, _ data: String) -> VidclassError {
            .file(table ?? data, "\(place(in: table ?? data)): \(message)")
        }
    }

    var clips: [Clip] = []
    /// The splits that the data names; nil if it names none.
    var splits: Set<Split>?
    var otherFiles: [String] = []
    /// For folders: how many of the other files are clips outside of the class folders, and how many have names that are not valid UTF-8.
    var (looseClips, invalidNames) = (0, 0)
    var notes: [String] = []
    /// For tables: their form.
    var form: DataSet.Form?
    /// For folders: the resolved data folder.
    var root = ""
    /// For folders: the ids of folders of systems that were passed over.
    var systemFolders: [String] = []
    /// For folders: the folder of the class folders, or of the folders of splits.
    var classFolder = ""
    /// For folders: the links that lead out of it.
    var linksOut: [FolderLink] = []

    /// For tables: whether it is a run's own, whose lines say nothing to a user.
    var isOfRun = false

    /// Bytes; a folder's name has at most 255.
    private static let longestLabel = 1000

    /// A clip of a table. Throws if a value is empty or if the file is not a clip. Whether the file exists, and whether another line names
    /// it, is left to the caller.
    ///
    /// - Parameter label: that of the clip, without spaces around it.
    static func clip(_ clip: ListedClip, label: String, split: Split?, group: String?) throws -> Clip {
        guard !clip.id.isEmpty, !label.isEmpty else { throw clip.error("path and label cannot be empty") }
        guard label.utf8.count <= FoundClips.longestLabel else {
            throw clip.error("the label has \(label.utf8.count) bytes; at most \(FoundClips.longestLabel) are read")
        }
        let file = ClipPath(clip.path).file
        if ClipFormat(name: file) == nil {
            guard !ClipFormat.isOther(name: file) else { throw clip.error("\(clip.id.printable): \(ClipFormat.notAClip)") }
            do { _ = try ClipFormat(existing: file) } catch let error as VidclassError where error.kind != .missingInput {
                throw clip.error(error.message, kind: error.kind)
            } catch {}
        }
        return Clip(
            path: clip.path, id: clip.id, label: label, split: split, group: group, table: clip.table, line: clip.line, status: clip.status)
    }

    /// The classes: the sorted labels of the training split. Throws if there are fewer than two; `path` is for the error.
    func sortedLabels(_ path: String) throws -> [String] {
        var found: Set<String> = []
        for place in clips.indices where clips[place].split ?? .train == .train { found.insert(clips[place].label) }
        guard !found.isEmpty else {
            throw VidclassError.file(path, "has no training split, so its classes are not known")
        }
        let labels = found.sorted(by: PathText.precedes)
        guard labels.count > 1 else {
            throw VidclassError.file(path, "expected at least two classes, found only \"\(labels[0].printable)\"")
        }
        return labels
    }

    /// The clips with labels numbered by `classes`. Throws if a label is unknown; `path` is for the error.
    ///
    /// - Parameter areGiven: whether the classes are those of a model, not of the training split.
    func entries(_ classes: [String], areGiven: Bool, _ path: String) throws -> [DataSet.Entry] {
        let numbers = ClassNumbers(classes)
        let labels = try clips.indices.map { place in
            guard let label = numbers[clips[place].label] else { throw unknownLabelError(clips[place], classes, areGiven: areGiven, path) }
            return label
        }
        return mapInParallel(clips.count) { number in
            DataSet.Entry(
                path: clips[number].path, id: clips[number].id, label: labels[number], split: clips[number].split ?? .train,
                group: clips[number].group,
                place: isOfRun || clips[number].table == nil ? nil : clips[number].place(in: path), status: clips[number].status)
        }
    }

    /// The number of clips of each label.
    var labelCounts: [String: Int] {
        var counts = ValueCounts<String>()
        for number in clips.indices { counts.add(clips[number].label) }
        return counts.counts
    }

    /// The labels of `counts` that are not among `classes`.
    static func unknownLabels(_ counts: [String: Int], _ classes: [String]) -> [DataSet.UnknownLabel] {
        let known = ClassNumbers(classes)
        return counts.filter { known[$0.key] == nil }.sorted { PathText.precedes($0.key, $1.key) }.map {
            DataSet.UnknownLabel(label: $0.key, clips: $0.value, nearest: nearestWord(to: $0.key, among: classes))
        }
    }

    /// Throws if two clips of a table have the same id.
    func checkIDs() throws {
        var places: [ByteText: Int] = [:]
        places.reserveCapacity(clips.count)
        for number in clips.indices { try checkID(number, &places) }
    }

    /// Throws if the clip at `number` has the id of one before it, which are in `places`.
    private func checkID(_ number: Int, _ places: inout [ByteText: Int]) throws {
        guard let first = places.updateValue(number, forKey: ByteText(clips[number].id)).map({ clips[$0] }) else { return }
        let clip = clips[number]
        let other =
            first.label == clip.label ? "" : ", with the label \"\(first.label.printable)\" instead of \"\(clip.label.printable)\""
        throw clip.error("\(clip.id.printable) is already in \(first.place(in: clip.table ?? ""))\(other); remove one of the lines", "")
    }

    /// Whether each clip is known to be in a file of its own, as in most tables.
    private var haveFilesOfTheirOwn: Bool {
        let inodes = clips.indices.compactMap { clips[$0].status?.identity.inode }
        return inodes.count == clips.count && Set(inodes).count == clips.count
    }

    /// Throws if two lines of the table at `path` name the same file, or the same part of one, with the same label in the same split,
    /// however they spell its path, or if they spell it equally. Other labels are left to `ContradictionSearch`.
    func checkRepeats(_ path: String) throws {
        guard !haveFilesOfTheirOwn else { return }
        var (places, firsts): ([ByteText: Int], [ClipIdentity: Int]) = ([:], [:])
        var others: [ClipIdentity: [Int]] = [:]
        for number in clips.indices {
            try checkID(number, &places)
            guard let identity = ClipIdentity(clips[number].path, clips[number].status) else { continue }
            guard let known = firsts[identity] else {
                firsts[identity] = number
                continue
            }
            let clip = clips[number]
            let earlier = ([known] + others[identity, default: []]).map { clips[$0] }
            if let first = earlier.first(where: { $0.label == clip.label && $0.split == clip.split }) {
                let place = first.place(in: clip.table ?? path)
                throw clip.error("\(clip.id.printable) is already in \(place), as \(first.id.printable); remove one of the lines", path)
            }
            others[identity, default: []].append(number)
        }
    }

    /// The error for labels that a model does not know; `clip` is the first that has one.
    private func unknownLabelError(_ clip: Clip, _ classes: [String], areGiven: Bool, _ path: String) -> VidclassError {
        let unknown = FoundClips.unknownLabels(labelCounts, classes)
        let known = classes.prefix(8).map(\.printable).joined(separator: ", ") + (classes.count > 8 ? ", ..." : "")
        let all = unknown.prefix(8).map(\.text).joined(separator: ", ") + (unknown.count > 8 ? ", ..." : "")
        let clips = unknown.reduce(0) { $0 + $1.clips }
        let more = unknown.count == 1 ? all : "\(unknown.count) labels with \(clips) clips are unknown: \(all)"
        let remedy =
            isOfRun
            ? "Restore the file as the training wrote it"
            : "Rename them, or "
                + (areGiven ? "leave these clips out of `eval` with --ignore-unknown-labels" : "add training clips of them")
        return clip.error(
            "the label \"\(clip.label.brief)\" is not one of the \(classes.count) classes of training (\(known)); \(more). \(remedy)", path)
    }

    /// The group in a file name of UCF-101's form, `v_Basketball_g01_c01`, where clips of one `g` and number were cut from one video:
    /// the label and the name up to and including the first component, between underscores, that is a `g` with two or more digits
    /// and is followed by another component. Nil for other names.
    static func group(ofName name: String, label: String) -> String? {
        guard name.utf8.contains(UInt8(ascii: "_")) else { return nil }
        let components = PathText.stem(name).split(separator: "_", omittingEmptySubsequences: false)
        for (place, component) in components.enumerated().dropLast() {
            guard component.utf8.first == UInt8(ascii: "g"), component.utf8.count >= 3,
                component.utf8.dropFirst().allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
            else { continue }
            return LabelSpelling.cleaned(label) + "/" + components[...place].joined(separator: "_")
        }
        return nil
    }
}
