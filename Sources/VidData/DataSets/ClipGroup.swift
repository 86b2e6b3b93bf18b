/// Clips that stay together when data is divided.
struct ClipGroup {
    /// Places in the data's entries.
    var members: [Int] = []
    /// The number of clips of each class, with labels ascending.
    var counts: [(label: Int, clips: Int)] = []

    /// The groups of the entries at `members`, in the order of their first clips. A clip without a group is a group of its own.
    static func all(_ members: [Int], of entries: [DataSet.Entry]) -> [ClipGroup] {
        var groups: [ClipGroup] = []
        var places: [[UInt8]: Int] = [:]
        for member in members {
            var place = groups.count
            if let name = entries[member].group.map({ Array($0.utf8) }) {
                place = places[name] ?? place
                places[name] = place
            }
            if place == groups.count { groups.append(ClipGroup()) }
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

    /// The variance of the number of clips over `classes` classes, times `classes` squared.
    func unevenness(_ classes: Int) -> Int {
        classes * counts.reduce(0) { $0 + $1.clips * $1.clips } - members.count * members.count
    }
}
