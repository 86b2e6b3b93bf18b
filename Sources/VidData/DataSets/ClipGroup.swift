import VidSystem

/// Clips that stay together when data is divided.
struct ClipGroup {
    /// Places in the data's entries.
    var members: [Int] = []
    /// The number of clips of each class, with labels ascending.
    var counts: [(label: Int, clips: Int)] = []

    /// The groups of the entries at `members`, in the order of their first clips. A clip without a group is a group of its own, but the
    /// segments of one file stay together, with all that share a group with one of them.
    static func all(_ members: [Int], of entries: [DataSet.Entry]) -> [ClipGroup] {
        // Each place in `members` refers to an earlier one of its group, or to itself.
        var earlier = Array(members.indices)
        func first(_ place: Int) -> Int {
            var place = place
            while earlier[place] != place {
                earlier[place] = earlier[earlier[place]]
                place = earlier[place]
            }
            return place
        }
        func join(_ a: Int, _ b: Int) {
            let (a, b) = (first(a), first(b))
            earlier[max(a, b)] = min(a, b)
        }
        var names: [[UInt8]: Int] = [:]
        var files: [FileStatus.Identity: Int] = [:]
        let segmented = SegmentedFiles(count: members.count) { entries[members[$0]].path }
        for (place, member) in members.enumerated() {
            if let name = entries[member].group.map({ Array($0.utf8) }) {
                if let other = names[name] { join(other, place) } else { names[name] = place }
            }
            if let file = segmented.files[place] {
                if let other = files[file] { join(other, place) } else { files[file] = place }
            }
        }
        var groups: [ClipGroup] = []
        var places: [Int: Int] = [:]
        for (place, member) in members.enumerated() {
            let root = first(place)
            let group = places[root] ?? groups.count
            places[root] = group
            if group == groups.count { groups.append(ClipGroup()) }
            groups[group].add(member, entries[member].label)
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
