import VidCluster

/// A rank other than 0: it does what rank 0 orders, writes no file of a run and prints nothing.
package struct ClusterFollower {
    private let runtime: Runtime
    private var cluster: any Cluster { runtime.cluster }

    package init(_ runtime: Runtime) { self.runtime = runtime }

    /// Follows orders until the command is done.
    ///
    /// - Throws: what fails here, and the failure of the cluster.
    package func run() async throws {
        while true {
            switch try await ClusterOrder.receive(from: cluster) {
            case .train(let order): try await order.work(runtime)
            case .check(let order): try await order.work(runtime)
            case .evaluate(let order): try await order.work(runtime)
            case .predict(let order): try await order.work(runtime)
            case .end: return
            }
        }
    }
}
