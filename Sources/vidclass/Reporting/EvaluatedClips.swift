import ArgumentParser
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// The clips that an evaluation takes, labelled by the checkpoint's classes.
struct EvaluatedClips {
    /// A part that is asked for.
    enum SplitChoice: String, ExpressibleByArgument, CaseIterable {
        case train, val, test, all
    }

    let set: DataSet
    let entries: [DataSet.Entry]
    /// The part's name, for notes.
    let name: String
    let source: String
    /// What they were to the training.
    let part: EvaluatedSplit
    /// Whether they are of the run's own data, and what a report of the run is made of.
    let isOfRun: Bool
    let isHeldOutOfRun: Bool
    /// Left out for their labels.
    let unknownClips: Int
    /// What the user should know.
    private(set) var notes: [String] = []

    /// - Parameters:
    ///   - data: other data than the model's own.
    ///   - split: the part; nil: what was held out, or all of data that names no parts.
    /// - Throws: `.badData` where no clips are left, or for labels that the model does not know.
    init(_ saved: SavedModel, data: String?, split: SplitChoice?, ignoresUnknownLabels: Bool) throws {
        let trainedOn = saved.configuration.data
        source = data ?? trainedOn.path
        let isOther = Folder.resolved(source) != Folder.resolved(trainedOn.path)
        if !isOther, let splits = saved.splitsPath {
            set = try SplitsFile.read(splits, data: source, classes: saved.classifier.classes)
            isOfRun = true
        } else {
            if !isOther { notes.append("\(saved.path.printable) lies in no run's folder with a splits.csv; the parts are made anew") }
            // Other data has nothing held out of it; parts of its own, where it names them, are there to be chosen.
            let options = isOther ? .none : trainedOn.splitOptions(seed: saved.configuration.seed)
            set = try DataSet.open(
                source, split: options, classes: saved.classifier.classes, leavesOutUnknown: ignoresUnknownLabels)
            isOfRun = false
        }
        let chosen = try EvaluatedClips.choose(from: set, split, isOther: isOther)
        (name, entries) = (chosen.name, chosen.entries)
        unknownClips = set.findings.unknownLabels.reduce(0) { $0 + $1.clips }
        part = isOther ? .other : chosen.part.map { EvaluatedSplit($0) } ?? .other
        isHeldOutOfRun = isOfRun && chosen.part == .heldOut(of: set)
        if unknownClips > 0 {
            notes.append(
                "\(Formatting.count(unknownClips, "clip")) left out, of labels that the model does not know: "
                    + Formatting.list(set.findings.unknownLabels.map(\.text)))
        }
        guard !entries.isEmpty else {
            throw VidclassError(
                .badData, "\(source.printable): the part \(name) has no clips" + (unknownClips > 0 ? " of known labels" : ""))
        }
        let absent = set.classes.indices.filter { label in !entries.contains { $0.label == label } }
        if !absent.isEmpty {
            notes.append(
                "no clips here of \(absent.count) of the \(set.classes.count) classes: "
                    + Formatting.list(absent.map { set.classes[$0].printable }))
        }
    }

    private static func choose(
        from set: DataSet, _ split: SplitChoice?, isOther: Bool
    ) throws -> (name: String, part: Split?, entries: [DataSet.Entry]) {
        if let split {
            guard let part = Split(name: split.rawValue) else { return (split.rawValue, nil, set.entries) }
            return (split.rawValue, part, set.entries(of: part))
        }
        let part = Split.heldOut(of: set)
        if part != .train { return (part.rawValue, part, set.entries(of: part)) }
        guard isOther else {
            throw VidclassError(
                .badData,
                "\(set.path.printable): no clips were held out of this training. Name others with --data PATH, or take the training clips with --split train."
            )
        }
        return ("all", nil, set.entries)
    }
}

extension Split {
    /// The part that says most of a model: the test part, else the validation part, else what it was trained on.
    static func heldOut(of data: DataSet) -> Split {
        [Split.test, .validation].first { !data.entries(of: $0).isEmpty } ?? .train
    }
}

extension EvaluatedSplit {
    init(_ part: Split) {
        self =
            switch part {
            case .train: .training
            case .validation: .validation
            case .test: .test
            }
    }
}
