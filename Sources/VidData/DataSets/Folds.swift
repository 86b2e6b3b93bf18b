import VidSystem
import VidTensor

extension DataSet {
    /// Divides the clips into `count` folds for cross-validation: in data set k of the result, fold k is the validation split and
    /// the other folds are the training split.
    ///
    /// Test clips stay out of all folds; every other clip (including those of a given validation split) is in exactly one fold.
    /// Folds are stratified by class and drawn from `seed`. Without groups, the sizes of two folds differ by at most one clip, and so
    /// do their numbers of clips of any class. With groups, each group is whole in one fold: the groups with the most uneven classes
    /// are placed first, each where it spreads the classes most evenly over the folds, as in scikit-learn's StratifiedGroupKFold.
    ///
    /// A note reports a class with fewer clips or groups than folds (scikit-learn warns), because some folds do not measure it.
    /// Throws `.badData` for fewer than two folds, if every class has fewer clips than folds (as scikit-learn does), and if too few
    /// or too uneven groups leave a fold empty.
    package func folds(_ count: Int, seed: UInt64) throws -> (folds: [DataSet], notes: [String]) {
        guard count >= 2 else { throw VidclassError.file(path, "expected at least two folds, found \(count)") }
        let members = entries.indices.filter { entries[$0].split != .test }
        let groups = ClipGroup.all(members, of: entries)
        var totals = [Int](repeating: 0, count: classes.count)
        for member in members { totals[entries[member].label] += 1 }
        guard let most = totals.max(), most >= count else {
            throw VidclassError.file(
                path, "no class has enough clips for \(count) folds (the largest has \(totals.max() ?? 0)); use fewer folds")
        }
        guard groups.count >= count else {
            throw VidclassError.file(
                path, "its \(members.count) clips are in \(groups.count) groups, too few for \(count) folds; use fewer folds")
        }
        var random = RandomGenerator(seed: seed, stream: DataSet.foldStream)
        let order = random.permutation(groups.count).map { groups[$0] }
        let hasGroups = groups.count < members.count
        let places = hasGroups ? DataSet.balance(order, over: count, totals) : DataSet.deal(order, to: count)

        var fold = [Int?](repeating: nil, count: entries.count)
        for (group, place) in zip(order, places) { for member in group.members { fold[member] = place } }
        for number in 0..<count where !places.contains(number) {
            throw VidclassError.file(path, "its groups are too uneven for \(count) folds, so that one would be empty; use fewer folds")
        }
        let sets = (0..<count).map { number in
            var changed = entries
            for member in members { changed[member].split = fold[member] == number ? .validation : .train }
            return DataSet(path: path, media: media, classes: classes, entries: changed, findings: findings, namesSplits: namesSplits)
        }
        return (sets, foldNotes(count, totals, groups))
    }

    /// The random stream that only folds use.
    private static let foldStream: UInt64 = 0x464F_4C44_5300_0000

    /// Deals single clips to the folds in turn, class by class; each class continues at the next fold.
    private static func deal(_ order: [ClipGroup], to count: Int) -> [Int] {
        var places = [Int](repeating: 0, count: order.count)
        let byClass = order.indices.sorted { (order[$0].counts[0].label, $0) < (order[$1].counts[0].label, $1) }
        for (turn, index) in byClass.enumerated() { places[index] = turn % count }
        return places
    }

    /// Places each group in the fold that minimises the sum over classes of the spread (the standard deviation over the folds of
    /// the class's share); among equal folds in the one with the fewest clips, then in the first.
    private static func balance(_ order: [ClipGroup], over count: Int, _ totals: [Int]) -> [Int] {
        var places = [Int](repeating: 0, count: order.count)
        var clips = [[Int]](repeating: [Int](repeating: 0, count: count), count: totals.count)
        var sizes = [Int](repeating: 0, count: count)
        func spread(_ label: Int, adding more: Int, to fold: Int) -> Double {
            var (sum, squares) = (0, 0)
            for other in 0..<count {
                let clips = clips[label][other] + (other == fold ? more : 0)
                sum += clips
                squares += clips * clips
            }
            // In integers up to the root, so that equal spreads compare equal.
            return Double(count * squares - sum * sum).squareRoot() / Double(totals[label])
        }
        let unevenFirst = order.indices.sorted {
            (-order[$0].unevenness(totals.count), $0) < (-order[$1].unevenness(totals.count), $1)
        }
        for index in unevenFirst {
            let group = order[index]
            var best = (cost: Double.infinity, size: Int.max, fold: 0)
            for fold in 0..<count {
                let cost = group.counts.reduce(0) { sum, next in
                    sum + spread(next.label, adding: next.clips, to: fold) - spread(next.label, adding: 0, to: fold)
                }
                let isBetter = cost < best.cost - 1e-12 || (cost < best.cost + 1e-12 && sizes[fold] < best.size)
                if isBetter { best = (cost, sizes[fold], fold) }
            }
            places[index] = best.fold
            sizes[best.fold] += group.members.count
            for (label, number) in group.counts { clips[label][best.fold] += number }
        }
        return places
    }

    private func foldNotes(_ count: Int, _ totals: [Int], _ groups: [ClipGroup]) -> [String] {
        var notes: [String] = []
        if entries.contains(where: { $0.split == .validation }) {
            notes.append("the validation split was added to the training split before making the folds")
        }
        var groupsOf = [Int](repeating: 0, count: classes.count)
        for group in groups { for (label, _) in group.counts { groupsOf[label] += 1 } }
        for (label, total) in totals.enumerated() where total > 0 && groupsOf[label] < count {
            let amount = total == groupsOf[label] ? "\(total)" : "\(total) clips in \(groupsOf[label])"
            let noun = total == groupsOf[label] ? "clip" : "group"
            let missing = count - groupsOf[label]
            notes.append(
                "the class \"\(classes[label].printable)\" has \(amount) \(noun)\(groupsOf[label] == 1 ? "" : "s"), fewer than the \(count) "
                    + "folds: \(missing) \(missing == 1 ? "fold does" : "folds do") not measure it"
                    + (groupsOf[label] == 1 ? ", and the one that does is trained without it" : ""))
        }
        return notes
    }
}
