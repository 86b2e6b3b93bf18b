/// How often each value occurs. It is fast where most values are like the one before, as in tables that list their clips class by class.
struct ValueCounts<Value: Hashable> {
    private var ended: [Value: Int] = [:]
    private var last: Value?
    private var run = 0

    /// The values that were added, with their numbers.
    var counts: [Value: Int] {
        var all = ended
        if let last { all[last, default: 0] += run }
        return all
    }

    mutating func add(_ value: Value) {
        if value != last {
            if let last { ended[last, default: 0] += run }
            (last, run) = (value, 0)
        }
        run += 1
    }
}
