//! The Merkle tree over the records, as RFC 6962 section 2.1 defines it, kept as its right edge.

use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Hash of a leaf: SHA-256 of a zero byte and the leaf's bytes. CITE: RFC 6962 §2.1.
///
/// A record's leaf is its number, its time (both 8 bytes, big-endian), its kind (1 byte) and its
/// body.
pub fn leaf_hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new_with_prefix([0]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// An append-only Merkle tree of which only the right edge is kept: the roots of the perfect
/// subtrees that the size's binary digits name, largest first. Push costs one hash on average, at
/// most 64; memory is at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    edge: Vec<Hash>,
}

impl Tree {
    /// A tree taken up again from its size and right edge; `None` when the two do not fit together.
    pub fn from_edge(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (edge.len() == size.count_ones() as usize).then_some(Self { size, edge })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, largest (leftmost) first; one for each binary one of the
    /// size.
    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one of the old size is a perfect subtree that the new leaf completes to a
        // larger one, as a carry does in addition.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.edge.push(node);
        self.size += 1;
    }

    /// The root: of an empty tree the SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut rest = self.edge.iter().rev();
        let Some(last) = rest.next() else {
            return Sha256::digest([]).into();
        };
        rest.fold(*last, |right, left| node_hash(left, &right))
    }
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new_with_prefix([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6962 §2.1 read aloud: the naive twin.
    fn naive_root(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => leaf_hash(&[leaf]),
            _ => {
                let mut split = 1;
                while split * 2 < leaves.len() {
                    split *= 2;
                }
                node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
            }
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    /// The leaves and roots that the Certificate Transparency implementations test themselves with.
    #[test]
    fn roots_known_from_certificate_transparency() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let leaves = [
            ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
            (
                "5051525354555657",
                "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            ),
            (
                "606162636465666768696a6b6c6d6e6f",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ];
        let mut tree = Tree::default();
        assert_eq!(tree.root().to_vec(), unhex(empty));
        for (leaf, root) in leaves {
            tree.push(leaf_hash(&[&unhex(leaf)]));
            assert_eq!(tree.root().to_vec(), unhex(root), "size {}", tree.size());
        }
    }

    #[test]
    fn an_edge_of_the_wrong_length_is_refused() {
        assert!(Tree::from_edge(3, vec![[0; 32]]).is_none());
        assert!(Tree::from_edge(0, vec![]).is_some());
    }

    proptest! {
        #[test]
        fn equals_its_naive_twin_at_every_size(
            leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..70),
            reopen in 0_usize..70,
        ) {
            let mut tree = Tree::default();
            for (at, leaf) in leaves.iter().enumerate() {
                if at == reopen {
                    tree = Tree::from_edge(tree.size(), tree.edge().to_vec()).unwrap();
                }
                tree.push(leaf_hash(&[leaf]));
                prop_assert_eq!(tree.root(), naive_root(&leaves[..=at]));
                prop_assert_eq!(tree.edge().len(), tree.size().count_ones() as usize);
            }
        }
    }
}
