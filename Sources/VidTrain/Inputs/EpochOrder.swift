import VidTensor

/// The order of the training clips in an epoch.
package enum EpochOrder {
    /// Every clip once, in the order of the data or, with `shuffle`, in a random one.
    static func plain(_ count: Int, shuffle: Bool, _ random: inout RandomGenerator) -> [Int] {
        shuffle ? random.permutation(count) : Array(0..<count)
    }

    /// As many draws as there are clips, each class as often as any other (give or take one), in a random order.
    ///
    /// The clips of a class are drawn in random orders, one order after the other: a small class repeats its clips evenly, a
    /// large one shows different clips in each epoch. Classes without clips are left out.
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
