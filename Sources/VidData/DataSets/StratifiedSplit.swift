import VidSystem
import VidTensor

/// Makes the splits that data does not name: stratified by class, seeded, with groups kept whole.
enum StratifiedSplit {
    /// Moves clips from the training split to the splits that are wanted (a share above 0) and not `given`.
    ///
    /// Each class contributes its share of clips, rounded, but at least one. Groups are visited in a random order, and a group moves
    /// if that brings the classes closer to their shares. No class loses its last training clip; a class of one clip or one group
    /// stays in training, and a note reports it.
    static func make(
        _ entries: [DataSet.Entry], classes: [String], options: DataSet.SplitOptions, given: Set<Split>
    ) -> (entries: [DataSet.Entry], notes: [String]) {
        var entries = entries
        var notes: [String] = []
        guard given.contains(.train) else { return (entries, notes) }
        let total = entries.counts(of: .train, classes: classes.count)
        for (split, share, stream) in [(Split.test, options.test, UInt64(1)), (.validation, options.validation, 2)] {
            guard share > 0, !given.contains(split) else { continue }
            var random = RandomGenerator(seed: options.seed, stream: splitStream + stream)
            move(&entries, to: split, targets: total.map { max(1, Int((share * Double($0)).rounded())) }, &random)
            let single = total.indices.filter { total[$0] == 1 }
            if let first = single.first {
                notes.append(
                    (single.count == 1
                        ? "the class \"\(classes[first].printable)\" has"
                        : "\(single.count) classes, such as \"\(classes[first].printable)\", have")
                        + " no clips in the split \"\(split.rawValue)\", because "
                        + (single.count == 1 ? "it has" : "each has") + " only one clip")
            }
            for (label, count) in entries.counts(of: split, classes: classes.count).enumerated() where count == 0 && total[label] > 1 {
                notes.append(
                    "the class \"\(classes[label].printable)\" has no clips in the split \"\(split.rawValue)\": "
                        + "its \(total[label]) training clips cannot be divided"
                        + (isOneVideo(entries.filter { $0.label == label })
                            ? ", because they are segments of one video; name the splits in a column split to divide it all the same" : ""))
            }
        }
        return (entries, notes)
    }

    private static func isOneVideo(_ entries: [DataSet.Entry]) -> Bool {
        let files = SegmentedFiles(entries).files
        return entries.count > 1 && files.allSatisfy { $0 != nil } && Set(files).count == 1
    }

    /// The random streams that only splitting uses.
    private static let splitStream: UInt64 = 0x5350_4C49_5400_0000

    private static func move(_ entries: inout [DataSet.Entry], to split: Split, targets: [Int], _ random: inout RandomGenerator) {
        let groups = ClipGroup.all(entries.indices.filter { entries[$0].split == .train }, of: entries)
        let order = random.permutation(groups.count).map { groups[$0] }
        var left = entries.counts(of: .train, classes: targets.count)
        var moved = [Int](repeating: 0, count: targets.count)
        var isMoved = [Bool](repeating: false, count: order.count)

        func leavesTraining(_ group: ClipGroup) -> Bool { group.counts.allSatisfy { left[$0.label] > $0.clips } }
        func take(_ place: Int) {
            isMoved[place] = true
            for (label, count) in order[place].counts {
                left[label] -= count
                moved[label] += count
            }
            for member in order[place].members { entries[member].split = split }
        }

        for (place, group) in order.enumerated() where leavesTraining(group) {
            // How much closer the classes get to their targets, in clips.
            let gain = group.counts.reduce(0) { gain, next in
                let (label, count) = next
                return gain + abs(moved[label] - targets[label]) - abs(moved[label] + count - targets[label])
            }
            if gain > 0 { take(place) }
        }
        // A class whose groups are all larger than its share: too many clips are better than none.
        for label in targets.indices where moved[label] == 0 {
            let candidates = order.indices.filter { place in
                !isMoved[place] && order[place].counts.contains { $0.label == label } && leavesTraining(order[place])
            }
            if let smallest = candidates.min(by: { (order[$0].members.count, $0) < (order[$1].members.count, $1) }) { take(smallest) }
        }
    }
}
