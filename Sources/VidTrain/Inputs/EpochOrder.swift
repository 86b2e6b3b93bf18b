import VidTensor

/// The order in which an epoch takes the clips of the training part.
package enum EpochOrder {
    /// Every clip once, in the order of the data or, shuffled, in another each epoch.
    static func plain(_ count: Int, shuffle: Bool, _ random: inout RandomGenerator) -> [Int] {
        shuffle ? random.permutation(count) : Array(0..<count)
    }

    /// As many draws as there are clips, each class as often as any other (give or take one), in a random order.
    ///
    /// A class's clips come in random orders one after the other: one of few clips repeats them evenly, one of many gives
    /// others in each epoch. Classes without clips are left out.
    package static func balanced(_ labels: [Int], classes: Int, _ random: inout RandomGenerator) -> [Int] {
        var members = [[Int]](repeating: [], count: classes)
        for (clip, label) in labels.enumerated() { members[label].append(clip) }
        members.removeAll(where: \.isEmpty)
        guard !members.isEmpty else { return [] }
        let extra = Set(random.permutation(members.count).prefix(labels.count % members.count))
        var draws: [Int] = []
        for (place, clips) in members.enumerated() {
            var left = labels.count / members.count + (extra.contains(place) ? 1 : 0)
            while left > 0 {
                let some = random.permutation(clips.count).prefix(left).map { clips[$0] }
                draws += some
                left -= some.count
            }
        }
        return random.permutation(draws.count).map { draws[$0] }
    }
}
