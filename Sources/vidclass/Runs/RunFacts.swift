import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// What a run's folder says of the run, as far as it can be read; what cannot is named, never thrown.
struct RunFacts {
    enum State: String {
        case finished, interrupted, running, failed
        /// Its record says that it is running, and no process holds its lock: it ended without a word.
        case crashed
        /// Nothing tells.
        case unknown
    }

    let folder: RunFolder
    let name: String
    /// What is wrong with the folder, each naming a file.
    private(set) var faults: [String] = []
    private(set) var state = State.unknown
    /// `config.json` as it stands there.
    private(set) var config: JSONNode?
    private(set) var record: JSONNode?
    private(set) var results: ResultsTable?
    private(set) var classes: [String]?
    /// Numbers in the best model; nil where it cannot be read.
    private(set) var parameters: Int?
    /// Of a folder of folds: what each says.
    private(set) var folds: [RunFacts] = []
    private(set) var foldsPlanned: Int?
    /// When something about it was last written, nanoseconds since 1970.
    private(set) var changed: Int64 = 0

    /// Whether there is any of a run's files in the folder.
    static func isRun(_ folder: RunFolder) -> Bool {
        [folder.configPath, folder.recordPath, folder.resultsPath, folder.lastPath, folder.bestPath, folder.foldsPath]
            .contains { FileManager.default.fileExists(atPath: $0) }
    }

    /// - Parameter isFold: whether it lies in a folder of folds: such a one has no folds itself, whatever is in it.
    init(_ folder: RunFolder, isFold: Bool = false) {
        self.folder = folder
        name = PathText.name(folder.path)
        config = object(folder.configPath, isExpected: true)
        record = object(folder.recordPath, isExpected: false)
        let times = [folder.recordPath, folder.resultsPath, folder.configPath, folder.foldsPath].compactMap {
            try? SystemCall.status($0).modified
        }
        changed = times.max() ?? (try? SystemCall.status(folder.path).modified) ?? 0
        if !isFold, FoldTraining.isOne(folder) {
            readFolds()
        } else {
            readResults()
            readModel()
            state = ownState
        }
    }

    // MARK: - What is asked of it

    /// Epochs done: lines of results.csv, or what the record says.
    var epochs: Int { results?.epochs.last?.epoch ?? record?["epochs"]?.intValue ?? 0 }
    var epochsPlanned: Int? { config?["training"]?["epochs"]?.intValue }
    var bestEpoch: Int? { record?["best_epoch"]?.intValue }
    var monitor: String? { record?["monitor"]?.stringValue }
    var bestValue: Double? {
        guard folds.isEmpty else {
            let values = folds.compactMap(\.bestValue)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        return record?["best_value"]?.doubleValue
    }
    var seconds: Double? {
        folds.isEmpty ? record?["seconds"]?.doubleValue ?? results?.epochs.last?.seconds : folds.compactMap(\.seconds).reduce(0, +)
    }
    var started: String? { record?["started"]?.stringValue ?? folds.first?.started }
    var dataPath: String? { config?["data"]?["path"]?.stringValue }

    /// Clips of all parts.
    var clips: Int? {
        guard let clips = (record ?? folds.first?.record)?["clips"], clips.objectMembers != nil else { return nil }
        // Of the parts that there are: a sum of what a stranger wrote could overflow.
        return Split.allCases.compactMap { clips[$0.rawValue]?.intValue }.filter { (0...1 << 40).contains($0) }.reduce(0, +)
    }

    /// Bytes of all files in the folder.
    var bytes: Int { RunFacts.bytes(below: folder.path, depth: 0) }

    /// A metric's name for a line of text: "val acc".
    static func shortened(_ monitor: String) -> String { Metric(rawValue: monitor)?.shortName ?? monitor }

    /// The results of the best epoch.
    var bestResults: EpochRecord? { results?.epochs.first { $0.epoch == bestEpoch } }

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
                // Its header: a listing does not read hundreds of megabytes.
                let file = try SafetensorsFile(path)
                classes = try file.metadata["classes"].map { try JSONParser.parse(Array($0.utf8)) }?.arrayElements?.compactMap(
                    \.stringValue)
                parameters = file.entries.filter { !$0.name.hasPrefix(Checkpoint.optimizerPrefix) }.reduce(0) { $0 + $1.count }
            } catch {
                faults.append("weights/" + fault(error, path))
            }
        }
        if epochs > 0, !FileManager.default.fileExists(atPath: folder.bestPath) { faults.append("weights/best.safetensors is missing") }
    }

    private mutating func readFolds() {
        foldsPlanned = (try? JSONParser.parse(RegularFile.contents(folder.foldsPath, limit: 1 << 16)))?["folds"]?.intValue
        if foldsPlanned == nil { faults.append("folds.json: expected {\"folds\": K}") }
        folds = (1...min(1000, max(1, foldsPlanned ?? 1))).map { RunFolder(path: folder.path + "/fold\($0)") }
            .filter(RunFacts.isRun).map { RunFacts($0, isFold: true) }
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

    /// The error without the folder's path, which the reader knows.
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
            // A file without content may say that it is as large as any.
            return sum.addingWithin(
                status.kind == .folder ? bytes(below: child, depth: depth + 1) : status.kind == .file ? status.size : 0)
        }
    }
}

extension Int {
    /// The sum, or the largest number where there is none.
    fileprivate func addingWithin(_ other: Int) -> Int {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
