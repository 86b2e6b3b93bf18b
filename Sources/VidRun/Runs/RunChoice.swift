import VidSystem

/// The run whose best model is used if none is named, among the runs of a folder.
///
/// It is the newest run that is finished, or if none is, the newest one with a model. Folders of folds are left out: each of their
/// models has seen only a part of the training clips.
package struct RunChoice {
    package let run: RunFacts
    /// The runs with a readable model, newest first.
    package let usable: [RunFacts]
    /// Runs that are newer than the chosen one, newest first: unfinished, or without a readable model.
    package let newer: [RunFacts]
    /// The number of all runs, including those that cannot be used.
    package let count: Int

    /// The lead in accuracy, on the same data, from which another run is `muchBetter`.
    private static let clearLead = 0.05

    /// - Parameter runs: all runs of a folder, newest first. Nil if none has a model.
    package init?(among runs: [RunFacts]) {
        let usable = runs.filter(\.hasModel)
        // A damaged model is chosen only if there is no other: opening it then says what is wrong.
        guard let run = usable.first(where: { $0.state == .finished }) ?? usable.first ?? runs.first(where: \.hasModelFile) else {
            return nil
        }
        self.run = run
        self.usable = usable
        newer = Array(runs.prefix { $0.folder.path != run.folder.path })
        count = runs.count
    }

    /// The choice among the runs in `directory`.
    ///
    /// - Throws: `.missingInput` if there is no run with a model.
    package init(in directory: String) throws {
        let runs = (try? SystemCall.status(directory)) == nil ? [] : try RunFacts.all(in: directory)
        if let choice = RunChoice(among: runs) {
            self = choice
            return
        }
        let folds = runs.flatMap(\.folds).first { $0.hasModel }
        let what = runs.isEmpty ? "no run here" : folds == nil ? "no run here has a model yet" : "only runs of --folds have models here"
        throw VidclassError(
            .missingInput,
            "\(directory.printable): \(what). "
                + (folds.map { "Name a fold's model: --checkpoint \($0.folder.bestPath.printable)" }
                    ?? "Train one with `\(ShellText.vidclass("train", "VIDEOS"))`, or name a model with --checkpoint FILE."))
    }

    /// The checkpoint that a user names by `path`: a file, or the best one of a run whose folder is named.
    ///
    /// - Throws: `.badData` with the checkpoint to name, if `path` is another file of a run or a folder of runs.
    package static func checkpoint(_ path: String) throws -> String {
        guard let kind = try? SystemCall.status(path).kind else { return path }
        func error(_ found: String, _ run: RunFolder?) -> VidclassError {
            let advice = run.flatMap { run in
                (try? SystemCall.status(run.bestPath)) == nil
                    ? nil : ["The best model of \(run.path.printable) is \(ShellText.path(run.bestPath))"]
            }
            return .file(path, "expected a checkpoint, such as runs/train/weights/best.safetensors, found \(found)", advice: advice ?? [])
        }
        if kind == .file {
            let run = RunFolder(path: PathText.parent(path))
            guard run.isRun, PathText.fileExtension(path) != "safetensors" else { return path }
            throw error("another file of the run", run.hasFolds ? run.fold(1) : run)
        }
        guard kind == .folder else { return path }
        let run = RunFolder(path: path)
        if run.hasFolds { throw error("the folder of a training with folds, each of which has a model", run.fold(1)) }
        if run.isRun { return run.bestPath }
        let above = RunFolder(path: PathText.parent(path))
        if above.isRun, Folder.resolved(path) == Folder.resolved(above.weightsPath) { return above.bestPath }
        let choice = RunChoice(among: try RunFacts.all(in: path))
        throw error(choice == nil ? "a folder without runs" : "a folder of runs", choice?.run.folder)
    }

    /// The number of finished runs with a readable model.
    package var finished: Int { usable.count { $0.state == .finished } }

    /// The finished run with the highest validation accuracy, if it was trained on the same data and classes and is at least 0.05
    /// better than the chosen one.
    package var muchBetter: RunFacts? {
        func accuracy(_ run: RunFacts) -> Double? { run.bestAccuracy.flatMap { $0.isValidation ? $0.value : nil } }
        guard let own = accuracy(run) else { return nil }
        let rivals = usable.filter { other in
            other.state == .finished && other.dataPath.map(Folder.resolved) == run.dataPath.map(Folder.resolved)
                && other.classes == run.classes && (accuracy(other) ?? 0) >= own + RunChoice.clearLead
        }
        return rivals.max { (accuracy($0) ?? 0) < (accuracy($1) ?? 0) }
    }
}
