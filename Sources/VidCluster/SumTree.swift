/// The order in which the shards of a step are added: pairwise, in one fixed binary tree over their numbers.
///
/// A node is a range of shards. The root has all of them; a node of n > 1 shards has two children, of which the left one has the
/// largest power of two below n. The sum of a node is the sum of its left child plus that of its right child, whoever computes it, so
/// its bits depend on the number of shards and on nothing else. (Pairwise summation also has a smaller error bound than one after
/// the other: Higham, Accuracy and Stability of Numerical Algorithms, section 4.2.)
package struct SumTree: Sendable, Equatable {
    /// The number of shards, at least 1.
    package let shards: Int
    /// The node that is split before each shard; nil for shard 0. Each shard but the first is where one node is split.
    private let splitNodes: [Range<Int>?]

    package init(shards: Int) {
        precondition(shards >= 1, "a sum of \(shards) shards")
        self.shards = shards
        var nodes = [Range<Int>?](repeating: nil, count: shards)
        var open = [0..<shards]
        while let node = open.popLast() {
            guard let middle = SumTree.middle(node) else { continue }
            nodes[middle] = node
            open += [node.lowerBound..<middle, middle..<node.upperBound]
        }
        splitNodes = nodes
    }

    package var root: Range<Int> { 0..<shards }

    /// Where a node is split; nil for a single shard.
    package static func middle(_ node: Range<Int>) -> Int? {
        guard node.count > 1 else { return nil }
        var half = 1
        while 2 * half < node.count { half *= 2 }
        return node.lowerBound + half
    }

    /// The node whose children are these two, which touch; nil if there is none.
    package func parent(_ left: Range<Int>, _ right: Range<Int>) -> Range<Int>? {
        guard left.upperBound == right.lowerBound, let node = splitNodes[right.lowerBound] else { return nil }
        return node == left.lowerBound..<right.upperBound ? node : nil
    }

    /// The largest nodes within `range`, from left to right: what a rank with these shards can sum by itself.
    package func nodes(in range: Range<Int>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var open = [root]
        while let node = open.popLast() {
            if range.lowerBound <= node.lowerBound && node.upperBound <= range.upperBound {
                found.append(node)
            } else if node.overlaps(range), let middle = SumTree.middle(node) {
                open += [middle..<node.upperBound, node.lowerBound..<middle]
            }
        }
        return found
    }

    /// The shards of a rank: ranks have as many as each other, give or take one, and the last ranks none where there are too few.
    package func share(of rank: Int, size: Int) -> Range<Int> {
        size <= shards ? root.shard(rank, of: size) : min(rank, shards)..<min(rank + 1, shards)
    }

    /// Adds the values of `nodes`, which cover all shards from left to right, in the tree's order.
    ///
    /// - Parameter add: adds the second to the first and returns it.
    package func sum<Value>(_ nodes: [(node: Range<Int>, value: Value)], add: (Value, Value) -> Value) -> Value {
        var stack: [(node: Range<Int>, value: Value)] = []
        for next in nodes {
            var top = next
            while let left = stack.last, let node = parent(left.node, top.node) {
                stack.removeLast()
                top = (node, add(left.value, top.value))
            }
            stack.append(top)
        }
        guard stack.count == 1, let sum = stack.first, sum.node == root else {
            preconditionFailure("\(nodes.map(\.node)) do not cover \(root)")
        }
        return sum.value
    }
}

extension Range<Int> {
    /// The part of `items` of one shard, where they are cut into `shards` parts of the same size, give or take one.
    package func shard(_ shard: Int, of shards: Int) -> Range<Int> {
        lowerBound + count * shard / shards..<lowerBound + count * (shard + 1) / shards
    }
}
