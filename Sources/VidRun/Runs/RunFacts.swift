import FoundationEssentials
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTrain

/// Everything that a run's folder tells about the run. Unreadable files become faults and never throw.
package struct RunFacts {
    package enum State: String, Sendable {
        case finished, interrupted, running, failed
        /// The record says that the run is running, but no process holds its lock: its process ended unexpectedly.
        case crashed
        case unknown
    }

    package let folder: RunFolder
    package let name: String
    /// The faults of the folder; each names a file.
    package private(set) var faults: [String] = []
    package private(set) var state = State.unknown
    /// The content of `config.json`.
    package private(set) var config: JSONNode?
    private(set) var record: JSONNode?
    package private(set) var results: ResultsTable?
    package private(set) var classes: [String]?
    /// Whether `weights/best.safetensors` can be read, as far as its header tells.
    package private(set) var hasModel = false
    /// Why it cannot be read; nil if it can, or if there is none.
    package private(set) var modelFault: String?
    var hasModelFile: Bool { hasModel || modelFault != nil }
    /// The model's parameters; nil if no checkpoint can be read.
    package private(set) var parameters: Int?
    /// The facts of each fold, in a folder of folds.
    package private(set) var folds: [RunFacts] = []
    package private(set) var foldsPlanned: Int?
    /// When the training last saved its state, or without a state when another of the run's files was written; nanoseconds since 1970.
    private var changed: Int64 = 0

    /// The runs in the folder at `path`, newest first, or the run that it is itself.
    ///
    /// - Throws: if there is no folder, or it can't be listed.
    package static func all(in path: String) throws -> [RunFacts] {
        guard try SystemCall.status(path).kind == .folder else {
            throw VidclassError.file(path, "is not a folder; expected one that holds runs, such as runs")
        }
        let own = RunFolder(path: path)
        if own.isRun { return [RunFacts(own)] }
        let folders = try Folder.names(path).names.map { RunFolder(path: PathText.join(path, $0)) }
        let runs = folders.filter(\.isRun).map { RunFacts($0) }
        return runs.sorted { $0.changed == $1.changed ? PathText.precedes($0.name, $1.name) : $0.changed > $1.changed }
    }

    /// - Parameter isFold: whether the run is a fold of another, so that its own folder is not read as a folder of folds.
    package init(_ folder: RunFolder, isFold: Bool = false) {
        self.folder = folder
        name = PathText.name(folder.path)
        config = object(folder.configPath, isExpected: true)
        record = object(folder.recordPath, isExpected: false)
        let times = [folder.recordPath, folder.resultsPath, folder.configPath, folder.foldsPath].compactMap {
            try? SystemCall.status($0).modified
        }
        // A resumed run that has nothing left to do rewrites other files, but not its state.
        let saved = try? SystemCall.status(folder.lastPath).modified
        changed = saved ?? times.max() ?? (try? SystemCall.status(folder.path).modified) ?? 0
        if !isFold, folder.hasFolds {
            readFolds()
        } else {
            readResults()
            readModel()
            state = ownState
        }
    }

    // MARK: - Facts

    /// Epochs that are over, as results.csv or the record tells.
    package var epochs: Int { results?.epochs.last?.epoch ?? record?["epochs"]?.intValue ?? 0 }
    package var epochsPlanned: Int? { config?["training"]?["epochs"]?.intValue }
    package var bestEpoch: Int? { record?["best_epoch"]?.intValue }
    package var monitor: String? { record?["monitor"]?.stringValue }
    package var bestValue: Double? {
        guard folds.isEmpty else {
            let values = folds.compactMap(\.bestValue)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        return record?["best_value"]?.doubleValue
    }
    /// The accuracy in the best epoch: on the validation clips or, if there are none, on the training clips.
    package var bestAccuracy: (value: Double, isValidation: Bool)? {
        guard let epoch = results?.epochs.last(where: { $0.epoch == bestEpoch }) ?? results?.epochs.last else { return nil }
        if let value = epoch.validationAccuracy { return (value, true) }
        return epoch.trainAccuracy.isFinite ? (epoch.trainAccuracy, false) : nil
    }
    package var seconds: Double? {
        folds.isEmpty ? record?["seconds"]?.doubleValue ?? results?.epochs.last?.seconds : folds.compactMap(\.seconds).reduce(0, +)
    }
    package var started: String? { record?["started"]?.stringValue ?? folds.first?.started }
    package var dataPath: String? { config?["data"]?["path"]?.stringValue }

    /// Clips of all splits.
    package var clips: Int? {
        guard let clips = (record ?? folds.first?.record)?["clips"], clips.objectMembers != nil else { return nil }
        // Only known splits and believable counts: a sum of any numbers in a file could overflow.
        return Split.allCases.compactMap { clips[$0.rawValue]?.intValue }.filter { (0...1 << 40).contains($0) }.reduce(0, +)
    }

    /// Bytes of all files in the folder.
    package var bytes: Int { RunFacts.bytes(below: folder.path, depth: 0) }

    /// A metric's short name, as in a training's epoch lines: "val acc".
    package static func shortened(_ monitor: String) -> String { Metric(rawValue: monitor)?.shortName ?? monitor }

    // MARK: - Reading

    private mutating func object(_ path: String, isExpected: Bool) -> JSONNode? {
        let name = PathText.name(path)
        guard FileManager.default.fileExists(atPath: path) else {
            if isExpected { faults.append("\(name) is missing") }
            return nil
        }
        do {
            let node = try JSONParser.parse(try RegularFile.contents(path, limit: 4 << 20))
            guard node.objectMembers != nil else {
                faults.append("\(name) holds \(node.brief), expected an object")
                return nil
            }
            return node
        } catch let error as JSONSyntaxError {
            faults.append("\(name): \(error)")
        } catch {
            faults.append(fault(error, path))
        }
        return nil
    }

    private mutating func readResults() {
        guard FileManager.default.fileExists(atPath: folder.resultsPath) else { return }
        do { results = try ResultsTable(path: folder.resultsPath) } catch { faults.append(fault(error, folder.resultsPath)) }
    }

    private mutating func readModel() {
        for path in [folder.lastPath, folder.bestPath] where FileManager.default.fileExists(atPath: path) {
            do {
                // Only the header: a listing must not read hundreds of megabytes.
                let file = try SafetensorsFile(path)
                classes = try file.metadata["classes"].map { try JSONParser.parse(Array($0.utf8)) }?.arrayElements?.compactMap(
                    \.stringValue)
                parameters = file.entries.filter { Checkpoint.isOfModel($0.name) }.reduce(0) { $0 + $1.count }
                if path == folder.bestPath { hasModel = true }
            } catch {
                let text = "weights/" + fault(error, path)
                faults.append(text)
                if path == folder.bestPath { modelFault = text }
            }
        }
        if epochs > 0, !FileManager.default.fileExists(atPath: folder.bestPath) { faults.append("weights/best.safetensors is missing") }
    }

    private mutating func readFolds() {
        do { foldsPlanned = try folder.foldCount() } catch { faults.append(fault(error, folder.foldsPath)) }
        folds = (1...(foldsPlanned ?? 1)).map(folder.fold).filter(\.isRun).map { RunFacts($0, isFold: true) }
        faults += folds.flatMap { fold in fold.faults.map { "\(fold.name)/\($0)" } }
        changed = max(changed, folds.map(\.changed).max() ?? 0)
        classes = folds.first?.classes
        if RunLock.isHeld(folder) {
            state = .running
        } else if folds.count == foldsPlanned, folds.allSatisfy({ $0.state == .finished }) {
            state = .finished
        } else {
            state = folds.contains { $0.state == .failed } ? .failed : folds.contains { $0.state == .crashed } ? .crashed : .interrupted
        }
    }

    private var ownState: State {
        switch record?["state"]?.stringValue.flatMap(RunRecord.State.init) {
        case .finished: return .finished
        case .interrupted: return .interrupted
        case .failed: return .failed
        case .running: return RunLock.isHeld(folder) ? .running : .crashed
        case nil:
            if RunLock.isHeld(folder) { return .running }
            guard let planned = epochsPlanned, results != nil else { return .unknown }
            return epochs >= planned ? .finished : .interrupted
        }
    }

    /// The error's message without the folder's path, which the user knows.
    private func fault(_ error: any Error, _ path: String) -> String {
        let text = (error as? VidclassError)?.message ?? "\(error)"
        let prefix = path.printable + ": "
        return PathText.name(path) + ": " + (text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text)
    }

    private static func bytes(below path: String, depth: Int) -> Int {
        guard depth < 16, let names = try? Folder.names(path).names else { return 0 }
        return names.reduce(0) { sum, name in
            let child = PathText.join(path, name)
            guard let status = try? SystemCall.status(child, followingLink: false) else { return sum }
            // A sparse file can claim any size.
            return sum.addingWithin(
                status.kind == .folder ? bytes(below: child, depth: depth + 1) : status.kind == .file ? status.size : 0)
        }
    }
}

extension Int {
    /// The sum, or the largest number if it overflows.
    fileprivate func addingWithin(_ other: Int) -> Int {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
