import VidSystem

extension DataSet {
    /// Opens the data at `path`: `DIR/<class>/<clip>`, `DIR/{train,val,test}/<class>/<clip>`, or a table or list of clips in one of
    /// the forms of `TableForm`, such as CSV with the header `path,label[,split][,group]`. The clips of a table are also looked for in
    /// the folder `media`.
    ///
    /// `classes` (a checkpoint's) number the labels; clips with other labels are an error or, with `leavesOutUnknown`, left out and
    /// counted in the findings. Without `classes`, the classes are the sorted labels of the training split. Labels are trimmed and
    /// compared in Unicode's form C; those of similar spelling are noted. Validation and test splits that the data does not name are taken from the training split as `split` defines.
    package static func open(
        _ path: String, media: String? = nil, split: SplitOptions = SplitOptions(), classes: [String]? = nil, leavesOutUnknown: Bool = false
    ) throws -> DataSet {
        try split.check()
        return try DataListing(path, media: media, classes: classes, leavesOutUnknown: leavesOutUnknown).divided(by: split)
    }
}

/// The clips at a path, listed once, before they are divided into splits.
package struct DataListing {
    private let path: String
    private let media: String?
    private let found: FoundClips
    private let classes: [String]
    private let areGiven: Bool
    private let unknown: [DataSet.UnknownLabel]

    /// Lists the clips as `DataSet.open` does.
    package init(_ path: String, media: String? = nil, classes: [String]? = nil, leavesOutUnknown: Bool = false) throws {
        let status = try SystemCall.status(path)
        var found: FoundClips
        switch status.kind {
        case .folder where media != nil:
            throw VidclassError.file(path, "data.media (--media) is for the clips of a table or list, but this is a folder")
        case .folder: found = try FolderLayout.read(path, mayLackTraining: classes != nil, classes: classes)
        case .file where DataSet.isTable(name: path): found = try TableLayout.read(path, media: media)
        case .file: throw LayoutAdvice.error(forFile: path)
        default: throw VidclassError.file(path, LayoutAdvice.expected + ", found a pipe, socket or device")
        }
        let isFolder = status.kind == .folder
        guard !found.clips.isEmpty else {
            guard isFolder else {
                throw VidclassError.file(
                    path, "found no clips in this table" + (found.notes.isEmpty ? "; no row follows its header" : ""), advice: found.notes)
            }
            throw LayoutAdvice.error(
                forFolder: path, fallback: VidclassError.file(path, "found no clips (.bin, .npy, videos or sounds)"))
        }
        let labels: [String]
        do { labels = try classes ?? found.sortedLabels(path) } catch let error as VidclassError where isFolder {
            throw LayoutAdvice.error(forFolder: path, fallback: error)
        }
        if !isFolder { try found.checkRepeats(path) }
        var counts = found.labelCounts
        unknown = FoundClips.unknownLabels(counts, labels)
        if leavesOutUnknown, !unknown.isEmpty {
            let left = Set(unknown.map(\.label))
            found.clips.removeAll { left.contains($0.label) }
            for label in left { counts[label] = nil }
        }
        found.notes += LabelSpelling.notes(
            counts, folder: isFolder && found.splits == nil ? found.classFolder : nil)
        self.path = path
        self.media = media
        self.found = found
        self.classes = labels
        areGiven = classes != nil
    }

    /// The data set of these clips, in which `split` divides those whose split the data does not name.
    package func divided(by split: DataSet.SplitOptions) throws -> DataSet {
        try split.check()
        let made = StratifiedSplit.make(
            try found.entries(classes, areGiven: areGiven, path), classes: classes, options: split, given: found.splits ?? [.train])
        var findings = DataSet.Findings(
            otherFiles: found.otherFiles, looseClips: found.looseClips, invalidNames: found.invalidNames, unknownLabels: unknown,
            form: found.form, notes: found.notes + made.notes)
        if found.splits != nil { findings.notes += DataListing.dividedGroups(made.entries) + SegmentedFiles.dividedNotes(made.entries) }
        return DataSet(
            path: path, media: media, classes: classes, entries: made.entries, findings: findings, namesSplits: found.splits != nil)
    }

    /// A note about groups whose clips are in more than one of the given splits.
    private static func dividedGroups(_ entries: [DataSet.Entry]) -> [String] {
        var splits: [String: Set<Split>] = [:]
        for entry in entries { if let group = entry.group { splits[group, default: []].insert(entry.split) } }
        let divided = splits.filter { $0.value.count > 1 }.keys.sorted(by: PathText.precedes)
        guard let first = divided.first else { return [] }
        let count = divided.count == 1 ? "1 group has" : "\(divided.count) groups have"
        return ["\(count) clips in more than one split, for example \"\(first.printable)\"; results may be too optimistic"]
    }
}
