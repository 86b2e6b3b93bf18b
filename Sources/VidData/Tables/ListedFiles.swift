import VidSystem

/// Looks for the files that a table names: in the table's folder, and in other folders.
///
/// A table may come from another machine. So a path is also tried with `/` for its backslashes, and with the names of folders and
/// files in the other Unicode spelling of the same characters (NFC or NFD). A path as it stands is always tried first, in all folders.
struct ListedFiles {
    struct Found: Equatable {
        /// The path relative to the table's folder or to the media folder, in the spelling of the file system.
        let id: String
        /// The path by which it can be opened.
        let path: String
        /// That of the file; nil for a folder and for what a link leads to.
        let status: FileStatus?

        init(id: String, path: String) { (self.id, self.path, status) = (id, path, SystemCall.look(at: path).file) }

        /// Finds the file or folder that `text` names below `root`; nil if there is none.
        fileprivate init?(_ text: String, below root: Root) {
            path = PathText.join(root.path, text)
            let look = SystemCall.look(at: path)
            guard look.isThere else { return nil }
            (id, status) = (PathText.join(root.prefix, text), look.file)
        }
    }

    /// A folder in which paths are looked for.
    fileprivate struct Root {
        let path: String
        /// The path that leads from the table's or the media folder to it.
        let prefix: String
    }

    /// The names in a folder.
    private struct Names {
        /// By name. Strings that are equal in Unicode are the same key.
        var all: [String: String] = [:]
        /// The clips by their names without extension, in the order of their bytes.
        var clips: [String: [String]] = [:]

        init(_ folder: String) {
            for name in (try? Folder.names(folder).names) ?? [] {
                if all[name] == nil { all[name] = name }
                if ClipFormat(name: name) != nil { clips[PathText.stem(name), default: []].append(name) }
            }
        }
    }

    private var roots: [Root]
    private var folders: [String: Names] = [:]

    /// - Parameters:
    ///   - table: the table's path.
    ///   - media: another folder in which clips are looked for.
    ///   - looksAbove: whether the folder above the table's is a third one.
    init(of table: String, media: String?, looksAbove: Bool = false) {
        let folder = PathText.parent(table)
        roots = [Root(path: folder, prefix: "")]
        if let media { roots.append(Root(path: media, prefix: "")) }
        if looksAbove { roots.append(Root(path: PathText.join(folder, ".."), prefix: "..")) }
    }

    /// The folders in which clips are looked for, for messages.
    var places: [String] { roots.map(\.path) }

    /// The error for a clip, named in `record` of the table at `table`, that is in none of the folders.
    func missing(_ text: String, _ record: CSVTable.Record, _ table: String) -> VidclassError {
        var error: VidclassError
        guard text.utf8.count <= Int(PATH_MAX) else {
            return record.error("the path has \(text.utf8.count) bytes; no path is longer than \(PATH_MAX)", table)
        }
        let places = roots(for: text).map { PathText.join($0.path, text).printable }
        if places.count == 1 {
            error = record.error("\(places[0]) does not exist", table, kind: .missingInput)
        } else {
            error = record.error(
                "\(text.printable) does not exist in any of \(self.places.map(\.printable).joined(separator: ", "))", table,
                kind: .missingInput)
        }
        error.advice = ["If the clips are in another folder, name it with --media DIR (data.media in a configuration)."]
        return error
    }

    /// The path by which the clip of this id can be opened, and which need not exist: in the table's folder, or else in the media folder.
    static func path(ofID id: String, in folder: String, media: String?) -> String {
        guard id.utf8.first != slash else { return id }
        let path = PathText.join(folder, id)
        guard let media, !SystemCall.exists(ClipPath(path).file) else { return path }
        let other = PathText.join(media, id)
        return SystemCall.exists(ClipPath(other).file) ? other : path
    }

    /// The files and folders that `texts` name as they are, in the first folder; nil for those that are left to `find`. Most paths of most
    /// tables are found so, on all processors.
    func direct(_ texts: [String]) -> [Found?] {
        mapInParallel(texts.count) { number in roots(for: texts[number]).first.flatMap { Found(texts[number], below: $0) } }
    }

    /// The file or folder that `text` names; nil if there is none.
    ///
    /// - Parameter anyExtension: whether a clip with another extension will do.
    mutating func find(_ text: String, anyExtension: Bool = false) -> Found? {
        let names = ListedFiles.variants(of: text)
        for name in names {
            for root in roots(for: name) {
                if let found = Found(name, below: root) { return found }
            }
        }
        for name in names {
            for root in roots(for: name) {
                guard let name = spelled(name, in: root.path, anyExtension: anyExtension) else { continue }
                return Found(id: PathText.join(root.prefix, name), path: PathText.join(root.path, name))
            }
        }
        return nil
    }

    /// The clip in one of `folders` below a root whose name without extension is one of `stems`. Earlier stems take precedence.
    mutating func clip(named stems: [String], in subfolders: [String]) -> Found? {
        for stem in stems {
            for root in roots {
                for folder in subfolders {
                    guard let name = names(PathText.join(root.path, folder)).clips[stem]?.first else { continue }
                    let place = PathText.join(folder, name)
                    return Found(id: PathText.join(root.prefix, place), path: PathText.join(root.path, place))
                }
            }
        }
        return nil
    }

    /// If some of `samples` are not found, also looks in those folders directly below the present ones that hold one of them.
    mutating func addFolders(holding samples: [String]) {
        for root in roots {
            let missing = samples.filter { find($0, anyExtension: true) == nil }
            guard !missing.isEmpty else { return }
            let folders = names(root.path).all.values.sorted(by: PathText.precedes).prefix(ListedFiles.mostFolders)
            for name in folders where !PathText.isHidden(name) {
                let path = PathText.join(root.path, name)
                guard (try? SystemCall.status(path).kind) == .folder,
                    missing.contains(where: { sample in
                        ListedFiles.variants(of: sample).contains { spelled($0, in: path, anyExtension: true) != nil }
                    })
                else { continue }
                roots.append(Root(path: path, prefix: PathText.join(root.prefix, name)))
            }
        }
    }

    private static let mostFolders = 1000
    private static let slash = UInt8(ascii: "/")
    private static let backslash = UInt8(ascii: "\\")

    /// The folders and the name of a path, of which `/` or `\` stand between.
    static func components(_ path: String) -> [String] {
        path.utf8.split { $0 == slash || $0 == backslash }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The path, and what it may have been before it came into the table.
    private static func variants(of text: String) -> [String] {
        var variants = [text]
        if text.utf8.contains(backslash) {
            variants.append(String(decoding: text.utf8.map { $0 == backslash ? slash : $0 }, as: UTF8.self))
        }
        let trimmed = TableHeader.trimmed(text)
        if !trimmed.isEmpty, !trimmed.hasSameBytes(as: text) { variants.append(trimmed) }
        return variants
    }

    private func roots(for name: String) -> [Root] { name.utf8.first == ListedFiles.slash ? [Root(path: "", prefix: "")] : roots }

    private mutating func names(_ folder: String) -> Names {
        if let names = folders[folder] { return names }
        let names = Names(folder)
        folders[folder] = names
        return names
    }

    /// `name` below `root` as the file system spells it; nil if nothing has this name.
    private mutating func spelled(_ name: String, in root: String, anyExtension: Bool) -> String? {
        var path = root.isEmpty ? "/" : root
        var spelled = root.isEmpty ? "/" : ""
        let parts = name.utf8.split(separator: ListedFiles.slash).map { String(decoding: $0, as: UTF8.self) }
        guard !parts.isEmpty else { return nil }
        for (place, part) in parts.enumerated() {
            var part = part
            if !SystemCall.exists(PathText.join(path, part)) {
                let names = names(path)
                var other = names.all[part]
                if other == nil, anyExtension, place == parts.count - 1 {
                    other = names.clips[ClipFormat(name: part) == nil ? part : PathText.stem(part)]?.first
                }
                guard let other else { return nil }
                part = other
            }
            path = PathText.join(path, part)
            spelled = PathText.join(spelled, part)
        }
        return spelled
    }
}
