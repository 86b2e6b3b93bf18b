import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTrain

/// The clips of an evaluation, labelled with the checkpoint's classes.
package struct EvaluatedClips {
    /// The split to evaluate.
    package enum SplitChoice: String, CaseIterable {
        case train, val, test, all
    }

    let set: DataSet
    package let entries: [DataSet.Entry]
    /// The split's name, for notes.
    package let name: String
    package let source: String
    /// The clips' part in the training.
    let part: EvaluatedSplit
    /// Whether these are clips of the run's own data.
    let isOfRun: Bool
    /// Whether these are the clips that the run's own report is about.
    let isHeldOutOfRun: Bool
    /// Clips that are left out because the model doesn't know their labels.
    let unknownClips: Int
    /// Remarks for the user.
    package private(set) var notes: [String] = []

    /// - Parameters:
    ///   - data: other data than the model's own.
    ///   - media: the folder of the clips of a table; by default that of the training, for the model's own data.
    ///   - split: nil for the held-out split, or for all clips if the data names no splits.
    /// - Throws: `.badData` if no clips are left, for labels that the model doesn't know, and if neither `data` nor `split` is named
    ///   although the run's splits are not those of the training: held-out clips could be training clips.
    package init(_ saved: SavedModel, data: String?, media: String? = nil, split: SplitChoice?, ignoresUnknownLabels: Bool) throws {
        let trainedOn = saved.configuration.data
        source = data ?? trainedOn.path
        let isOther = Folder.resolved(source) != Folder.resolved(trainedOn.path)
        let splits = isOther ? nil : saved.splitsPath
        let media = media ?? (isOther ? nil : trainedOn.media)
        if let splits {
            set = try SplitsFile.read(splits, data: source, media: media, classes: saved.classifier.classes)
        } else {
            if !isOther { notes.append("\(saved.path.printable) is not in a run's folder with a splits.csv, so the data is split again") }
            // Nothing was held out of other data. Splits that it names can be chosen.
            let options = isOther ? .none : trainedOn.splitOptions(seed: saved.configuration.seed)
            set = try DataSet.open(
                source, media: media, split: options, classes: saved.classifier.classes, leavesOutUnknown: ignoresUnknownLabels)
        }
        // In the user's own words, if there are any.
        let place = splits.map { saved.runFolder?.splitsPath ?? $0 } ?? source
        var areAsTrained = !isOther
        if !isOther, let fault = EvaluatedClips.fault(set, splits, saved) {
            guard data != nil || split != nil || saved.splitsDigest == nil else {
                throw VidclassError.file(
                    place,
                    fault
                        + ". Restore it, or name the clips yourself: --split NAME takes a split as it is now, --data PATH takes other clips"
                )
            }
            notes.append(place.printable + ": " + fault)
            areAsTrained = saved.splitsDigest == nil
        }
        isOfRun = splits != nil && areAsTrained
        let chosen = try EvaluatedClips.choose(from: set, split, isOther: isOther)
        (name, entries) = (chosen.name, chosen.entries)
        unknownClips = set.findings.unknownLabels.reduce(0) { $0 + $1.clips }
        part = areAsTrained ? chosen.part.map { EvaluatedSplit($0) } ?? .all : .other
        isHeldOutOfRun = isOfRun && chosen.part == .heldOut(of: set)
        if unknownClips > 0 {
            notes.append(
                "\(Formatting.count(unknownClips, "clip")) left out, with labels that the model doesn't know: "
                    + Formatting.list(set.findings.unknownLabels.map(\.text)))
        }
        guard !entries.isEmpty else {
            throw VidclassError(
                .badData,
                "\(source.printable): \(chosen.part == nil ? "found" : "the split \(name) has") no clips"
                    + (unknownClips == 0
                        ? ""
                        : " with labels that the model knows (\(Formatting.list(set.classes.map(\.printable)))), but "
                            + Formatting.list(set.findings.unknownLabels.map(\.text))))
        }
        let absent = set.classes.indices.filter { label in !entries.contains { $0.label == label } }
        if !absent.isEmpty {
            notes.append(
                "\(absent.count) of the \(set.classes.count) classes \(absent.count == 1 ? "has" : "have") no clips here: "
                    + Formatting.list(absent.map { set.classes[$0].printable }))
        }
    }

    /// Why the splits of `set`, from the table at `splits` or made again, may not be those of the training; nil if they are.
    private static func fault(_ set: DataSet, _ splits: String?, _ saved: SavedModel) -> String? {
        guard let digest = saved.splitsDigest else {
            // Splits that are made again are noted already.
            return splits == nil
                ? nil : "cannot be verified, because an earlier version of vidclass wrote \(saved.path.printable) without their digest"
        }
        // guard: splits-of-the-training
        guard digest == set.digest else {
            return "the clips or their splits are not those that \(saved.path.printable) was trained with, so held-out clips may be "
                + "training clips"
        }
        return nil
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
                "\(set.path.printable): no clips were held out of this training. Name others with --data PATH, or use the training clips with --split train."
            )
        }
        return ("all", nil, set.entries)
    }
}

extension Split {
    /// The most telling split: the test split, else the validation split, else the training split.
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
