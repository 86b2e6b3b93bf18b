/// Python source of the modules that PyTorch has no equal of; a model's source has those that it uses.
package enum TorchLibrary {
    package static let all = [("Standardization(", standardization), ("Recurrent(", recurrent), ("Attention(", attention)]

    private static let standardization = """
        class Standardization(nn.Module):
            def __init__(self, features):
                super().__init__()
                self.register_buffer("mean", torch.zeros(features))
                self.register_buffer("standard_deviation", torch.ones(features))

            def forward(self, x):
                return (x - self.mean) / self.standard_deviation

        """

    private static let recurrent = """
        class Recurrent(nn.Module):
            \"""nn.LSTM or nn.GRU with any activations. Steps that do not count leave the state as it is.\"""

            def __init__(self, cell, features, units, directions, activation, gate):
                super().__init__()
                self.cell, self.units, self.activation, self.gate = cell, units, activation, gate
                self.suffixes = ["l0", "l0_reverse"][:directions]
                wide = (4 if cell == "lstm" else 3) * units
                for suffix in self.suffixes:
                    self.register_parameter(f"weight_ih_{suffix}", nn.Parameter(torch.zeros(wide, features)))
                    self.register_parameter(f"weight_hh_{suffix}", nn.Parameter(torch.zeros(wide, units)))
                    self.register_parameter(f"bias_ih_{suffix}", nn.Parameter(torch.zeros(wide)))
                    self.register_parameter(f"bias_hh_{suffix}", nn.Parameter(torch.zeros(wide)))

            def forward(self, x, mask=None):
                \"""(batch, steps, features) -> all states (batch, steps, directions * units) and the last (batch, directions * units).\"""
                runs = [self.run(x, mask, suffix) for suffix in self.suffixes]
                return torch.cat([torch.stack(states, 1) for states, _ in runs], -1), torch.cat([last for _, last in runs], -1)

            def run(self, x, mask, suffix):
                weight = {name: getattr(self, f"{name}_{suffix}") for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]}
                inputs = F.linear(x, weight["weight_ih"], weight["bias_ih"])
                h = c = x.new_zeros(len(x), self.units)
                states = [h] * x.shape[1]
                steps = range(x.shape[1])
                for t in reversed(steps) if suffix == "l0_reverse" else steps:
                    recurrent = F.linear(h, weight["weight_hh"], weight["bias_hh"])
                    if self.cell == "lstm":
                        i, f, g, o = (inputs[:, t] + recurrent).chunk(4, -1)
                        next_c = self.gate(f) * c + self.gate(i) * self.activation(g)
                        next_h = self.gate(o) * self.activation(next_c)
                    else:
                        (x_r, x_z, x_n), (h_r, h_z, h_n) = inputs[:, t].chunk(3, -1), recurrent.chunk(3, -1)
                        z = self.gate(x_z + h_z)
                        next_c, next_h = c, z * h + (1 - z) * self.activation(x_n + self.gate(x_r + h_r) * h_n)
                    if mask is not None:
                        next_c, next_h = torch.where(mask[:, t, None], next_c, c), torch.where(mask[:, t, None], next_h, h)
                    c, h = next_c, next_h
                    states[t] = h
                return states, h

        """

    private static let attention = """
        class Attention(nn.Module):
            \"""Self-attention added to its input, then layer normalization. Steps that do not count get no attention.\"""

            def __init__(self, features, heads, size, is_causal):
                super().__init__()
                self.heads, self.is_causal = heads, is_causal
                self.query = nn.Linear(features, heads * size)
                self.key = nn.Linear(features, heads * size)
                self.value = nn.Linear(features, heads * size)
                self.output = nn.Linear(heads * size, features)
                self.normalization = nn.LayerNorm(features, eps=0.001)

            def forward(self, x, mask=None):
                query, key, value = (part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in [self.query, self.key, self.value])
                seen = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device)
                if self.is_causal:
                    seen = seen.tril()
                if mask is not None:
                    seen = seen & mask[:, None, None, :]
                mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
                return self.normalization(x + self.output(mixed.transpose(1, 2).flatten(2)))

        """
}
