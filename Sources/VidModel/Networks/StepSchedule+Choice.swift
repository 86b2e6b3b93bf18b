import VidTensor

/// The choice of what to keep of a step on all frames at once.
extension StepSchedule {
    /// The schedule that repeats the least work within so many floats for one frame, or the one of the fewest floats if none fits.
    static func least(_ graph: NetworkGraph, needs: [Bool], floats limit: Int) -> StepSchedule {
        let all = [Bool](repeating: true, count: graph.nodes.count)
        let full = StepSchedule(graph, needs: needs, Kept(first: all, again: all))
        if full.floats <= limit { return full }
        let heavy = graph.nodes.indices.map { !isLight($0, graph) }
        let total = graph.nodes.indices.reduce(0) { $0 + (heavy[$1] ? 0 : graph.shapes[$1].count) }
        var candidates = [1, 2, 3, 4].map { quarters in
            var passed = 0
            let first = graph.nodes.indices.map { node in
                if !heavy[node] { passed += graph.shapes[node].count }
                return heavy[node] || passed > quarters * total / 4
            }
            return Kept(first: first, again: heavy)
        }
        for checkpoints in checkpoints(graph, heavy) {
            // The first layers have the largest maps, which are the cheapest to compute again for their size.
            let steps = min(checkpoints.count, 8)
            for step in 1...steps {
                let some = checkpoints.prefix(step * checkpoints.count / steps)
                var first = heavy
                for node in 0...(some.last ?? 0) { first[node] = false }
                for node in some { first[node] = true }
                candidates += [all, heavy].map { Kept(first: first, again: $0, checkpoints: Array(some)) }
            }
        }
        let drafts = candidates.map { kept in
            let draft = ScheduleDraft(graph, needs: needs, kept)
            return (floats: draft.floats, work: draft.repeatedWork, kept: kept)
        }
        for draft in drafts.filter({ $0.floats <= limit }).sorted(by: { ($0.work, $0.floats) < ($1.work, $1.floats) }) {
            let schedule = StepSchedule(graph, needs: needs, draft.kept)
            // Places can take a little more than what is in use at once.
            if schedule.floats <= limit { return schedule }
        }
        let smallest = drafts.sorted { ($0.floats, $0.work) < ($1.floats, $1.work) }.prefix(4)
        return smallest.map { StepSchedule(graph, needs: needs, $0.kept) }.min { $0.floats < $1.floats } ?? full
    }

    /// Whether the output of a node is computed from its input in one pass, and the backward pass needs that input anyway.
    private static func isLight(_ index: Int, _ graph: NetworkGraph) -> Bool {
        let (layer, input) = (graph.nodes[index].layer, graph.inputShape(of: index))
        return layer.readsInput && layer.flops(input) == 0 && graph.shapes[index].count == input.count
    }

    /// Lists of nodes whose outputs are kept while what is between them is computed again, from many to few. Each list has about the
    /// same number of floats of heavy outputs between its nodes, and takes the smallest maps for that.
    private static func checkpoints(_ graph: NetworkGraph, _ heavy: [Bool]) -> [[Int]] {
        let sizes = graph.nodes.indices.map { heavy[$0] ? graph.shapes[$0].count : 0 }
        var lists: [[Int]] = []
        var room = Double(sizes.max() ?? 0)
        let total = Double(sizes.reduce(0, +))
        while room < total {
            var list: [Int] = []
            var (floats, start) = (0.0, 0)
            var index = 0
            while index < graph.nodes.count - 1 {
                floats += Double(sizes[index])
                index += 1
                guard floats > room else { continue }
                let cuts = (start + 1...index).filter { graph.isCut[$0] }
                guard let cut = cuts.min(by: { (graph.shapes[$0 - 1].count, -$0) < (graph.shapes[$1 - 1].count, -$1) }) else { continue }
                list.append(cut - 1)
                (floats, start, index) = (0, cut, cut)
            }
            if !list.isEmpty, list != lists.last { lists.append(list) }
            room *= 1.25
        }
        return lists
    }
}
