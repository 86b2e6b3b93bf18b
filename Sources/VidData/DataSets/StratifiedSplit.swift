import VidSystem
import VidTensor

/// Makes the parts that data does not name: stratified by class, seeded, groups kept whole.
enum StratifiedSplit {
    /// Moves clips of the training part to the parts that are wanted (a share above 0) and not `given`.
    ///
    /// Each class gives a part its share of its clips, rounded, but at least one. Groups are drawn in a random order and one
    /// goes over where that brings the classes nearer to their shares. No class loses its last training clip; a class of
    /// one clip or of one group stays whole in training, and a note says so.
    static func make(
        _ entries: [DataSet.Entry], classes: [String], options: DataSet.SplitOptions, given: Set<Split>
    ) -> (entries: [DataSet.Entry], notes: [String]) {
        var entries = entries
        var notes: [String] = []
        guard given.contains(.train) else { return (entries, notes) }
        let total = counts(entries, classes.count)
        for (part, share, stream) in [(Split.test, options.test, UInt64(1)), (.validation, options.validation, 2)] {
            guard share > 0, !given.contains(part) else { continue }
            var random = RandomGenerator(seed: options.seed, stream: splitStream + stream)
            move(&entries, to: part, targets: total.map { max(1, Int((share * Double($0)).rounded())) }, &random)
            for (label, count) in counts(entries, classes.count, part).enumerated() where count == 0 && total[label] > 0 {
                notes.append(
                    "the class \"\(classes[label].printable)\" has no clip in the part \"\(part.rawValue)\": "
                        + "its \(total[label]) training clips cannot be divided")
            }
        }
        return (entries, notes)
    }

    /// Splits draw from streams of the seed that nothing else draws from.
    private static let splitStream: UInt64 = 0x5350_4C49_5400_0000

    /// Clips that stay together.
    private struct Group {
        var members: [Int] = []
        /// Clips by class: (class, clips).
        var counts: [Int: Int] = [:]
    }

    private static func counts(_ entries: [DataSet.Entry], _ classes: Int, _ part: Split = .train) -> [Int] {
        var counts = [Int](repeating: 0, count: classes)
        for entry in entries where entry.part == part { counts[entry.label] += 1 }
        return counts
    }

    private static func move(_ entries: inout [DataSet.Entry], to part: Split, targets: [Int], _ random: inout RandomGenerator) {
        let groups = groups(entries)
        let order = random.permutation(groups.count).map { groups[$0] }
        var left = counts(entries, targets.count)
        var moved = [Int](repeating: 0, count: targets.count)
        var isMoved = [Bool](repeating: false, count: order.count)

        func leavesTraining(_ group: Group) -> Bool { group.counts.allSatisfy { left[$0.key] > $0.value } }
        func take(_ place: Int) {
            isMoved[place] = true
            for (label, count) in order[place].counts {
                left[label] -= count
                moved[label] += count
            }
            for member in order[place].members { entries[member].part = part }
        }

        for (place, group) in order.enumerated() where leavesTraining(group) {
            // How much nearer the classes come to their targets, in clips.
            let gain = group.counts.reduce(0) { gain, next in
                let (label, count) = next
                return gain + abs(moved[label] - targets[label]) - abs(moved[label] + count - targets[label])
            }
            if gain > 0 { take(place) }
        }
        // Groups that were each too large for their share: better too many than none.
        for label in targets.indices where moved[label] == 0 {
            let candidates = order.indices.filter { !isMoved[$0] && order[$0].counts[label] != nil && leavesTraining(order[$0]) }
            if let smallest = candidates.min(by: { (order[$0].members.count, $0) < (order[$1].members.count, $1) }) { take(smallest) }
        }
    }

    /// The training part's groups, in the order of their first clips.
    private static func groups(_ entries: [DataSet.Entry]) -> [Group] {
        var groups: [Group] = []
        var places: [String: Int] = [:]
        for (number, entry) in entries.enumerated() where entry.part == .train {
            var place = groups.count
            if let name = entry.group {
                place = places[name] ?? place
                places[name] = place
            }
            if place == groups.count { groups.append(Group()) }
            groups[place].members.append(number)
            groups[place].counts[entry.label, default: 0] += 1
        }
        return groups
    }
}
