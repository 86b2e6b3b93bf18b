import VidSystem
import VidTensor

extension DataSet {
    /// The same clips in `count` ways for cross-validation: in data set k of the result, fold k is the validation part and
    /// the other folds are the training part.
    ///
    /// Test clips stay out of all folds; every other clip (those of a validation part that the data names, too) is in exactly
    /// one fold. Folds are stratified by class and drawn by `seed`. Where no two clips are of one group, the sizes of two folds
    /// differ by one clip at most, and so do their clips of any class. Where there are groups, each is whole in one fold: the
    /// groups with the most uneven classes are placed first, each where it leaves the classes most evenly spread over the
    /// folds, as scikit-learn's StratifiedGroupKFold does.
    ///
    /// A class with fewer clips or groups than there are folds is a note (scikit-learn warns): some folds do not measure it.
    /// Throws `.badData` for less than two folds, where every class has fewer clips than that (as scikit-learn does), and where
    /// a fold would be empty because there are fewer groups.
    package func folds(_ count: Int, seed: UInt64) throws -> (folds: [DataSet], notes: [String]) {
        guard count >= 2 else { throw VidclassError.file(path, "expected at least two folds, found \(count)") }
        let members = entries.indices.filter { entries[$0].part != .test }
        let groups = FoldGroup.all(members, of: entries)
        var totals = [Int](repeating: 0, count: classes.count)
        for member in members { totals[entries[member].label] += 1 }
        guard let most = totals.max(), most >= count else {
            throw VidclassError.file(
                path, "\(count) folds are more than any class has clips (\(totals.max() ?? 0) at most); expected fewer folds")
        }
        guard groups.count >= count else {
            throw VidclassError.file(
                path, "its \(members.count) clips are of \(groups.count) groups, which cannot make \(count) folds; expected fewer folds")
        }
        var random = RandomGenerator(seed: seed, stream: DataSet.foldStream)
        let order = random.permutation(groups.count).map { groups[$0] }
        let hasGroups = groups.count < members.count
        let places = hasGroups ? DataSet.balance(order, over: count, totals) : DataSet.deal(order, to: count)

        var fold = [Int?](repeating: nil, count: entries.count)
        for (group, place) in zip(order, places) { for member in group.members { fold[member] = place } }
        for number in 0..<count where !places.contains(number) {
            throw VidclassError.file(path, "its groups are too uneven for \(count) folds: one of them stays empty; expected fewer folds")
        }
        let sets = (0..<count).map { number in
            var changed = entries
            for member in members { changed[member].part = fold[member] == number ? .validation : .train }
            return DataSet(path: path, classes: classes, entries: changed, findings: findings, namesParts: namesParts)
        }
        return (sets, foldNotes(count, totals, groups))
    }

    /// Folds draw from a stream of the seed that nothing else draws from.
    private static let foldStream: UInt64 = 0x464F_4C44_5300_0000

    /// Single clips, class by class, to one fold after the other, going on at the next fold with the next class.
    private static func deal(_ order: [FoldGroup], to count: Int) -> [Int] {
        var places = [Int](repeating: 0, count: order.count)
        let byClass = order.indices.sorted { (order[$0].counts[0].label, $0) < (order[$1].counts[0].label, $1) }
        for (turn, index) in byClass.enumerated() { places[index] = turn % count }
        return places
    }

    /// Groups one by one to the fold where they leave the sum over classes of the spread (standard deviation over the folds of
    /// the class's share) smallest; among equals to the fold with the fewest clips, then to the first.
    private static func balance(_ order: [FoldGroup], over count: Int, _ totals: [Int]) -> [Int] {
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
            // In whole numbers up to the root, so that equal spreads are equal.
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

    private func foldNotes(_ count: Int, _ totals: [Int], _ groups: [FoldGroup]) -> [String] {
        var notes: [String] = []
        if entries.contains(where: { $0.part == .validation }) {
            notes.append("the validation part was put to the training part before the folds were made")
        }
        var groupsOf = [Int](repeating: 0, count: classes.count)
        for group in groups { for (label, _) in group.counts { groupsOf[label] += 1 } }
        for (label, total) in totals.enumerated() where total > 0 && groupsOf[label] < count {
            let what = total == groupsOf[label] ? "\(total)" : "\(total) clips in \(groupsOf[label])"
            let noun = total == groupsOf[label] ? "clip" : "group"
            notes.append(
                "the class \"\(classes[label].printable)\" has \(what) \(noun)\(groupsOf[label] == 1 ? "" : "s"), fewer than the \(count) "
                    + "folds: \(count - groupsOf[label]) of them do not measure it"
                    + (groupsOf[label] == 1 ? ", and the one that does is trained without it" : ""))
        }
        return notes
    }
}

/// Clips that stay in one fold.
private struct FoldGroup {
    var members: [Int] = []
    /// Clips by class, labels rising.
    var counts: [(label: Int, clips: Int)] = []

    /// The groups of the clips `members`, in the order of their first clips.
    static func all(_ members: [Int], of entries: [DataSet.Entry]) -> [FoldGroup] {
        var groups: [FoldGroup] = []
        var places: [[UInt8]: Int] = [:]
        for member in members {
            var place = groups.count
            if let name = entries[member].group.map({ Array($0.utf8) }) {
                place = places[name] ?? place
                places[name] = place
            }
            if place == groups.count { groups.append(FoldGroup()) }
            groups[place].add(member, entries[member].label)
        }
        return groups
    }

    private mutating func add(_ member: Int, _ label: Int) {
        members.append(member)
        let place = counts.firstIndex { $0.label >= label } ?? counts.count
        if place < counts.count, counts[place].label == label {
            counts[place].clips += 1
        } else {
            counts.insert((label, 1), at: place)
        }
    }

    /// The variance of its clips over `classes` classes, times classes squared.
    func unevenness(_ classes: Int) -> Int {
        classes * counts.reduce(0) { $0 + $1.clips * $1.clips } - members.count * members.count
    }
}
