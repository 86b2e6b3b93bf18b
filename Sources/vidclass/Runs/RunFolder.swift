import Foundation
import VidConfig
import VidReport
import VidSystem
import VidTensor

/// The folder of one training: `runs/train`, then `runs/train2`, `runs/train3`, ...
struct RunFolder {
    let path: String
    /// Whether this process made it.
    var isNew = false

    var configPath: String { path + "/config.json" }
    var resultsPath: String { path + "/results.csv" }
    var weightsPath: String { path + "/weights" }
    var lastPath: String { weightsPath + "/last.safetensors" }
    /// The state saved before the last one, for when that turns out to be damaged.
    var previousPath: String { weightsPath + "/previous.safetensors" }
    var bestPath: String { weightsPath + "/best.safetensors" }
    var splitsPath: String { path + "/splits.csv" }
    var skippedPath: String { path + "/skipped.csv" }
    var recordPath: String { path + "/run.json" }
    /// What was found of the data when the training began.
    var dataPath: String { path + "/data.json" }
    var report: ReportFolder { ReportFolder(path: path) }
    /// Of a folder of folds: how many there are.
    var foldsPath: String { path + "/folds.json" }

    /// The model after an epoch (`training.save_every_epochs`).
    func epochPath(_ epoch: Int) -> String { weightsPath + "/epoch\(epoch).safetensors" }

    init(path: String) { self.path = path }

    /// Makes the folder for a new run. With `existOk` an existing one is taken again, otherwise the next free number.
    ///
    /// - Parameter holdsWeights: false for a folder of other runs.
    static func create(directory: String, name: String, existOk: Bool, holdsWeights: Bool = true) throws -> RunFolder {
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
            throw VidclassError(error.kind, error.message + ". Choose another with --set output.directory=...")
        }
    }

    /// Refuses weights that are kept elsewhere by a link, and `isOwn` false, a run that is: nothing is written outside of a run's
    /// folder, whoever made it.
    ///
    /// - Throws: `.inputOutput`.
    func checkLinks(isOwn: Bool = true) throws {
        for place in (isOwn ? [] : [path]) + [weightsPath] {
            guard let kind = try? SystemCall.status(place, followingLink: false).kind, kind != .folder else { continue }
            throw VidclassError.file(
                place,
                "expected a folder, found a link or a file, and a training writes into its run's folder alone; put a folder there "
                    + "(--set output.directory=... keeps whole runs elsewhere)", kind: .inputOutput)
        }
    }

    /// Removes what a training left behind that ended before it had anything to keep; a folder that was there before stays.
    func removeIfNothingWasKept() {
        guard isNew, !FileManager.default.fileExists(atPath: lastPath), !FileManager.default.fileExists(atPath: bestPath) else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A new training in a folder that was there (`exist_ok`) must not be mistaken for the old one, nor go on with its folds.
    func removeOldRun() throws {
        let epochs = ((try? FileManager.default.contentsOfDirectory(atPath: weightsPath)) ?? []).filter {
            $0.hasPrefix("epoch") && $0.hasSuffix(".safetensors")
        }
        // First what makes it a run that can be resumed.
        let old =
            [
                configPath, foldsPath, lastPath, lastPath + ".damaged", previousPath, bestPath, splitsPath, skippedPath, recordPath,
                path + "/folds.csv",
            ]
            + [dataPath] + report.files + epochs.map { weightsPath + "/" + $0 }
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
                    path + "/" + name, "the old fold cannot be removed: \(error.localizedDescription)", kind: .inputOutput)
            }
        }
    }

    /// Gives the last saved state the name of the previous one, too, before a new one takes its place.
    ///
    /// - Throws: `.inputOutput` where the folder does not allow it.
    func keepPrevious() throws {
        guard FileManager.default.fileExists(atPath: lastPath) else { return }
        try AtomicFile.link(lastPath, as: previousPath)
    }

    /// How the run went, as its files tell it.
    func story(_ configuration: RunConfiguration) -> RunStory {
        RunStory(folder: path, results: resultsPath, record: recordPath, plannedEpochs: configuration.training.epochs)
    }

    /// Removes what tells of a best model that may not stay the best. What cannot be removed stays: no report is worth a training.
    func removeReport() {
        for path in report.files { unlink(path) }
    }

    /// Takes a damaged last state out of the way, so that it does not become the previous one.
    func putDamagedLastAside() throws {
        guard FileManager.default.fileExists(atPath: lastPath) else { return }
        guard rename(lastPath, lastPath + ".damaged") == 0 else {
            throw VidclassError.file(lastPath, "is damaged and cannot be put aside: \(SystemCall.reason())", kind: .inputOutput)
        }
    }

    /// The run in the folder at `path`, to be resumed.
    ///
    /// - Throws: `.missingInput` where there is none.
    static func existing(_ path: String) throws -> RunFolder {
        let folder = RunFolder(path: path)
        guard FileManager.default.fileExists(atPath: folder.configPath) else {
            throw VidclassError.file(
                path, "no run to resume here; expected a run's folder such as runs/train, with config.json and weights in it",
                kind: .missingInput)
        }
        return folder
    }

    /// The newest run below `directory` whose folder holds `file`, by the file's time of change.
    static func newest(in directory: String, holding file: KeyPath<RunFolder, String>) throws -> RunFolder {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let runs = names.sorted().map { RunFolder(path: directory + "/" + $0) }
        let dated = runs.compactMap { run in (try? SystemCall.status(run[keyPath: file])).map { (run, $0.modified) } }
        guard let newest = dated.max(by: { $0.1 < $1.1 }) else {
            throw VidclassError(
                .missingInput,
                "\(directory): no trained run here. Train one with `vidclass train --config FILE`, or name a checkpoint with --checkpoint FILE."
            )
        }
        return newest.0
    }
}

/// Holds a run's folder against a second trainer for as long as the process lives (`flock` on `.lock` in it).
///
/// The kernel lets the lock go when the process ends, however it ends: there is no stale lock.
final class RunLock {
    private let descriptor: Int32

    init(_ folder: RunFolder) throws {
        let path = folder.path + "/.lock"
        // Not through a link, which could have a file made anywhere.
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else {
            throw VidclassError.file(
                path, errno == ELOOP ? "expected a file to lock, found a link; remove it" : "cannot be opened: \(SystemCall.reason())",
                kind: .inputOutput)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else {
                throw VidclassError.file(
                    path,
                    "cannot be locked: \(SystemCall.reason(code)); the file system knows no locks, keep runs on another "
                        + "(--set output.directory=...)", kind: .inputOutput)
            }
            throw VidclassError.file(
                folder.path,
                "another vidclass is training in this folder. Wait for it, or train into another (--set output.name=...).", kind: .busy)
        }
    }

    deinit { close(descriptor) }

    /// Whether a process is training in `folder`. Asks for the lock shared and lets it go at once; makes no file.
    static func isHeld(_ folder: RunFolder) -> Bool {
        let descriptor = open(folder.path + "/.lock", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
