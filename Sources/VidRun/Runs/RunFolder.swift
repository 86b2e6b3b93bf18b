import FoundationEssentials
import VidConfig
import VidReport
import VidSystem

/// The folder of one training (`runs/train`, then `runs/train2`, `runs/train3`, ...), or of one training per fold.
package struct RunFolder: Sendable {
    package let path: String
    /// Whether this process made it.
    private(set) var isNew = false

    package var configPath: String { path + "/config.json" }
    package var resultsPath: String { path + "/results.csv" }
    var weightsPath: String { path + "/weights" }
    package var lastPath: String { weightsPath + "/last.safetensors" }
    /// The second-to-last state: the fallback if the last one turns out to be damaged.
    var previousPath: String { weightsPath + "/previous.safetensors" }
    package var bestPath: String { weightsPath + "/best.safetensors" }
    var splitsPath: String { path + "/splits.csv" }
    var skippedPath: String { path + "/skipped.csv" }
    var recordPath: String { path + "/run.json" }
    /// The findings on the data when the training began.
    var dataPath: String { path + "/data.json" }
    package var report: ReportFolder { ReportFolder(path: path) }
    /// The number of folds and their results, in a folder of folds.
    var foldsPath: String { path + "/folds.json" }
    var foldResultsPath: String { path + "/folds.csv" }

    /// The model after an epoch (`training.save_every_epochs`).
    func epochPath(_ epoch: Int) -> String { weightsPath + "/epoch\(epoch).safetensors" }

    /// The folder of fold `number` (from 1).
    func fold(_ number: Int) -> RunFolder { RunFolder(path: path + "/" + RunFolder.foldName(number)) }
    static func foldName(_ number: Int) -> String { "fold\(number)" }

    package init(path: String) { self.path = path }

    /// Whether the folder has any of a run's files.
    package var isRun: Bool {
        [configPath, recordPath, resultsPath, lastPath, bestPath, foldsPath].contains { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whether the folder holds one run per fold.
    package var hasFolds: Bool { FileManager.default.fileExists(atPath: foldsPath) }

    /// The number of folds that `folds.json` names.
    ///
    /// - Throws: `.badData` if it names none.
    func foldCount() throws -> Int {
        let bytes = try RegularFile.contents(foldsPath, limit: 1 << 16)
        guard let count = (try? JSONParser.parse(bytes))?["folds"]?.intValue, (2...1000).contains(count) else {
            throw VidclassError.file(foldsPath, "expected {\"folds\": K} with K from 2 to 1000; the file is damaged")
        }
        return count
    }

    /// Makes the folder for a new run. With `existOk` an existing one is used again, otherwise the next free number.
    ///
    /// - Parameter holdsWeights: false for a folder of other runs or of a report.
    package static func create(directory: String, name: String, existOk: Bool, holdsWeights: Bool = true) throws -> RunFolder {
        var number = 1
        do {
            while true {
                var folder = RunFolder(path: directory + "/" + name + (number == 1 ? "" : "\(number)"))
                folder.isNew = try Folder.makeNew(folder.path)
                if folder.isNew || existOk {
                    // What is there, with `existOk`, must be a folder.
                    try Folder.make(holdsWeights ? folder.weightsPath : folder.path)
                    return folder
                }
                number += 1
            }
        } catch let error as VidclassError {
            throw VidclassError(error.kind, error.message + ". Choose another with " + ShellText.setting("output.directory", "FOLDER"))
        }
    }

    /// Refuses a run's folder or its `weights` folder that is a link: a run is written only into its own folder, whoever made that. The
    /// folder above, `output.directory`, may be a link.
    ///
    /// - Throws: `.inputOutput`.
    func checkLinks() throws {
        // A slash at the end would follow the link.
        let own = PathText.join(PathText.parent(path), PathText.name(path))
        for place in [own, weightsPath] {
            guard let kind = try? SystemCall.status(place, followingLink: false).kind, kind != .folder else { continue }
            let target = Folder.resolved(place)
            let remedy =
                target != place && place != weightsPath && (try? SystemCall.status(target))?.kind == .folder
                ? "name the folder itself, \(target.printable)"
                : "put a folder there, or keep whole runs elsewhere with \(ShellText.setting("output.directory", "FOLDER"))"
            throw VidclassError.file(
                place, "expected a folder, found a link or a file. A run is written only into its own folder: \(remedy)",
                kind: .inputOutput)
        }
    }

    /// Removes a folder that this process made and in which nothing was saved.
    ///
    /// - Parameter start: the state that the training started from, which does not count.
    func removeIfNothingWasSaved(except start: String?) {
        let saved = [lastPath, bestPath].filter { $0 != start && FileManager.default.fileExists(atPath: $0) }
        guard isNew, saved.isEmpty else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Removes the files of an old run, so that a new training in its folder (`exist_ok`) isn't mistaken for the old one and doesn't
    /// resume its folds.
    func removeOldRun() throws {
        let epochs = ((try? FileManager.default.contentsOfDirectory(atPath: weightsPath)) ?? []).filter {
            $0.hasPrefix("epoch") && $0.hasSuffix(".safetensors")
        }
        // The files that make it a resumable run go first.
        let old =
            [
                configPath, foldsPath, lastPath, lastPath + ".damaged", previousPath, bestPath, splitsPath, skippedPath, recordPath,
                foldResultsPath, dataPath,
            ]
            + report.files + epochs.map { weightsPath + "/" + $0 }
        for path in old where FileManager.default.fileExists(atPath: path) {
            guard unlink(path) == 0 else {
                throw VidclassError.file(path, "the old file cannot be removed: \(SystemCall.reason())", kind: .inputOutput)
            }
        }
        try TensorBoardLog.remove(from: path)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where name.hasPrefix("fold") && Int(name.dropFirst(4)) != nil {
            do { try FileManager.default.removeItem(atPath: path + "/" + name) } catch {
                throw VidclassError.file(
                    path + "/" + name, "the old fold cannot be removed: \(error)", kind: .inputOutput)
            }
        }
    }

    /// Links the last saved state as the previous one, before a new state replaces it.
    ///
    /// - Throws: `.inputOutput` if the folder does not allow it.
    func keepPrevious() throws {
        guard FileManager.default.fileExists(atPath: lastPath) else { return }
        try AtomicFile.link(lastPath, as: previousPath)
    }

    /// The history of the run as its files tell it.
    func story(_ configuration: RunConfiguration) -> RunStory {
        RunStory(folder: path, results: resultsPath, record: recordPath, plannedEpochs: configuration.training.epochs)
    }

    /// Removes the report, whose best model may not stay the best. Failures are ignored: no report is worth a training.
    func removeReport() {
        for path in report.files { unlink(path) }
    }

    /// Renames a damaged last state, so that it doesn't become the previous one.
    func putDamagedLastAside() throws {
        guard FileManager.default.fileExists(atPath: lastPath) else { return }
        guard rename(lastPath, lastPath + ".damaged") == 0 else {
            throw VidclassError.file(lastPath, "is damaged and cannot be renamed: \(SystemCall.reason())", kind: .inputOutput)
        }
    }

    /// The run in the folder at `path`, to be resumed.
    ///
    /// - Throws: `.missingInput` if there is none.
    package static func existing(_ path: String) throws -> RunFolder {
        let folder = RunFolder(path: path)
        guard FileManager.default.fileExists(atPath: folder.configPath) else {
            throw VidclassError.file(
                path, "no run to resume here; expected a run's folder such as runs/train, with config.json and weights in it",
                kind: .missingInput)
        }
        return folder
    }

    /// The newest run below `directory` whose folder holds `file`, by the file's time of change.
    package static func newest(in directory: String, holding file: KeyPath<RunFolder, String>) throws -> RunFolder {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let runs = names.sorted().map { RunFolder(path: directory + "/" + $0) }
        let dated = runs.compactMap { run in (try? SystemCall.status(run[keyPath: file])).map { (run, $0.modified) } }
        guard let newest = dated.max(by: { $0.1 < $1.1 }) else {
            throw VidclassError(
                .missingInput,
                "\(directory.printable): no run here. Train one with `\(ShellText.vidclass("train", "VIDEOS"))`, or name the run to use."
            )
        }
        return newest.0
    }
}

/// Keeps a second trainer out of a run's folder (`flock` on `.lock` in it) while this object lives.
///
/// The kernel releases the lock when the process ends, however it ends: there are no stale locks.
final class RunLock {
    private let descriptor: Int32

    init(_ folder: RunFolder) throws {
        let path = folder.path + "/.lock"
        // Not through a link: that could make a file anywhere.
        // guard: lock-not-through-link, without: O_NOFOLLOW | ->
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else {
            throw VidclassError.file(
                path, errno == ELOOP ? "expected a file to lock, found a link; remove it" : "cannot be opened: \(SystemCall.reason())",
                kind: .inputOutput)
        }
        // guard: one-trainer-per-run
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else {
                throw VidclassError.file(
                    path,
                    "cannot be locked: \(SystemCall.reason(code)). The file system has no locks; keep runs on another one with "
                        + ShellText.setting("output.directory", "FOLDER"), kind: .inputOutput)
            }
            throw VidclassError.file(
                folder.path,
                "another vidclass is training in this folder. Wait for it, or train into another with \(ShellText.setting("output.name", "NAME")).",
                kind: .busy)
        }
    }

    deinit {
        // Closing alone is not enough: a child that has been forked but not yet executed shares the lock.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Whether a process is training in `folder`. Takes a shared lock and releases it at once; makes no file.
    static func isHeld(_ folder: RunFolder) -> Bool {
        let descriptor = open(folder.path + "/.lock", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}

/// The files of a report in a folder.
package struct ReportFolder: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    package var page: String { path + "/report.html" }
    var curves: String { path + "/results.svg" }
    var confusion: String { path + "/confusion_matrix.svg" }
    var environment: String { path + "/environment.json" }
    var predictions: String { path + "/predictions.csv" }

    var files: [String] { [page, curves, confusion, environment, predictions] }
    package var exists: Bool { FileManager.default.fileExists(atPath: page) }

    /// Throws, before a long evaluation, if `path` is something else than a folder or a free name.
    package static func check(_ path: String) throws {
        guard let kind = try? SystemCall.status(path).kind, kind != .folder else { return }
        throw VidclassError.file(
            path, "expected a folder for the report, or a new name, found \(kind == .file ? "a file" : "a pipe, socket or device")",
            kind: .usage)
    }
}
